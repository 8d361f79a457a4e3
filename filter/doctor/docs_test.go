package doctor_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestThePageListsEachCode holds docs/doctor.md to the code.
func TestThePageListsEachCode(t *testing.T) {
	page, err := os.ReadFile("../../docs/doctor.md")
	if err != nil {
		t.Fatal(err)
	}
	var listed []string
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z0-9-]+)` \\| ((?:(?:loses|alters|doubts|holds|unseen)(?:, )?)+) \\|").FindAllSubmatch(page, -1) {
		for _, severity := range strings.Split(string(m[2]), ", ") {
			listed = append(listed, string(m[1])+" "+severity)
		}
	}
	// These are chosen from tables.
	used := []string{
		"headers-not-sent loses", "trailers-not-sent loses",
		"defective-version loses", "defective-version alters", "defective-version holds",
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`"([a-z0-9-]+)", (Loses|Alters|Doubts|Holds|Unseen),`).FindAllSubmatch(source, -1) {
			used = append(used, string(m[1])+" "+strings.ToLower(string(m[2])))
		}
	}
	for _, list := range []*[]string{&listed, &used} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	if !slices.Equal(listed, used) {
		t.Errorf("the page lists\n%s\nthe code has\n%s", strings.Join(listed, "\n"), strings.Join(used, "\n"))
	}
}
