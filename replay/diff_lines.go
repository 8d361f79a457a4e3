package replay

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/diff"
)

// edit is a line that one list has and the other has not, in its place.
type edit struct {
	added bool // it is in the second list
	index int  // in its list
}

func (e edit) sign() string {
	if e.added {
		return "+ "
	}
	return "- "
}

// counterparts are, by the place of each edit, that of the edit which puts another line
// in its stead, and the reverse; -1: there is none.
func counterparts(edits []edit) []int {
	list := make([]int, len(edits))
	for i := range list {
		list[i] = -1
	}
	for i := 0; i < len(edits); {
		added := i
		for added < len(edits) && !edits[added].added {
			added++
		}
		end := added
		for end < len(edits) && edits[end].added {
			end++
		}
		for n := range min(added-i, end-added) {
			list[i+n], list[added+n] = added+n, i+n
		}
		i = end
	}
	return list
}

// diffLists finds what leads from one list of lines to another. Lines may hold
// anything, line breaks too.
func diffLists(a, b []string) []edit {
	numbers := map[string]int{}
	numbered := func(list []string) []byte {
		var text []byte
		for _, l := range list {
			n, known := numbers[l]
			if !known {
				n = len(numbers)
				numbers[l] = n
			}
			text = append(strconv.AppendInt(text, int64(n), 10), '\n')
		}
		return text
	}
	return readUnified(string(diff.Diff("a", numbered(a), "b", numbered(b))))
}

// readUnified reads a unified diff of texts whose lines are numbers, each with an end.
func readUnified(text string) (edits []edit) {
	var recorded, replayed int
	for line := range strings.Lines(text) {
		switch {
		case strings.HasPrefix(line, "@@ "):
			var n int // how many lines the hunk has of each, which nobody needs
			if _, err := fmt.Sscanf(line, "@@ -%d,%d +%d,%d @@", &recorded, &n, &replayed, &n); err != nil {
				panic("read a diff's hunk: " + err.Error()) // of our own making
			}
			recorded, replayed = max(recorded, 1), max(replayed, 1)
		case strings.HasPrefix(line, "diff "), strings.HasPrefix(line, "--- "), strings.HasPrefix(line, "+++ "):
		case line[0] == '-':
			edits = append(edits, edit{false, recorded - 1})
			recorded++
		case line[0] == '+':
			edits = append(edits, edit{true, replayed - 1})
			replayed++
		default:
			recorded++
			replayed++
		}
	}
	return edits
}
