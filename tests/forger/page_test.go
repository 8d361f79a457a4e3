package forger

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the table in docs/verification.md anew")

const (
	page  = "../../docs/verification.md"
	begin = "<!-- The table is written by go test ./tests/forger -update -->\n"
	end   = "<!-- end of the table -->\n"
)

// row is a forgery and what each rung found first.
type row struct {
	group, name string
	found       [rungs]string
}

// table is the rows as they stand on the page; whole: with the rungs that need a ledger.
func table(rows []row, whole bool) string {
	var b strings.Builder
	group := ""
	for _, r := range rows {
		if r.name == "" {
			continue // it could not be made on this machine
		}
		if r.group != group {
			group = r.group
			fmt.Fprintf(&b, "\n### %s\n\n", group)
			line(&b, whole, "the forgery", headings)
			var rule [rungs]string
			for i := range rule {
				rule[i] = "---"
			}
			line(&b, whole, "---", rule)
		}
		var cells [rungs]string
		for i, f := range r.found {
			if cells[i] = "–"; f != "" {
				code, offset, _ := strings.Cut(f, " ")
				cells[i] = strings.TrimSpace("`" + code + "` " + offset)
			}
		}
		line(&b, whole, r.name, cells)
	}
	b.WriteString("\n")
	return b.String()
}

func line(b *strings.Builder, whole bool, first string, cells [rungs]string) {
	b.WriteString("| " + first + " |")
	for r, c := range cells {
		if whole || !rung(r).ofLedger() {
			b.WriteString(" " + c + " |")
		}
	}
	b.WriteString("\n")
}

// comparePage compares the table with the page, or writes it there. Where there is no
// ledger, rows and columns of the page that need one are left out of the comparison.
func comparePage(t *testing.T, rows []row, whole bool) {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), begin)
	old, after, closed := strings.Cut(rest, end)
	if !ok || !closed {
		t.Fatalf("%s has no place for the table", page)
	}
	switch is := table(rows, whole); {
	case *update && whole:
		if err := os.WriteFile(page, []byte(before+begin+is+end+after), 0o644); err != nil { //nolint:gosec // a document
			t.Fatal(err)
		}
	case *update:
		t.Fatalf("the table can't be written without a ledger")
	case whole && is != old:
		t.Errorf("%s is not what the forgeries show; write it with -update:\n%s", page, is)
	case !whole:
		has := map[string]bool{}
		for l := range strings.Lines(old) {
			cells := strings.Split(l, " | ")
			has[strings.Join(cells[:max(1, len(cells)-2)], " | ")] = true
		}
		for l := range strings.Lines(is) {
			if l = strings.TrimSuffix(l, " |\n"); strings.HasPrefix(l, "|") && !has[l] {
				t.Errorf("%s lacks: %s", page, l)
			}
		}
	}
}
