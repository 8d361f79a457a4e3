package doctor

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// TestDefectsAreDocumented holds the table in docs/operations.md against the code.
func TestDefectsAreDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	var table strings.Builder
	for _, d := range defects {
		fmt.Fprintf(&table, "| %s | %s | %s |\n", d.what, d.versions(), d.source)
	}
	if !strings.Contains(string(page), "| --- | --- | --- |\n"+table.String()+"\n") {
		t.Errorf("docs/operations.md, \"Versions of Envoy\", has not the table\n%s", &table)
	}
}
