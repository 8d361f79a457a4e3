package faults_test

import (
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"verbatim/tests/faults"
)

// scenario is something that a scribe does to a log while its calls fail.
type scenario struct {
	name string
	// before are the scribe's commands that make the log with which it begins.
	before  []string
	command string
	// whole: a sample takes each line of outcomes for each call, not one in turn. It is
	// so where what was acknowledged to a client is at stake.
	whole bool
}

var scenarios = []scenario{
	{"create", nil, "create", true},
	{"record", []string{"create", "record"}, "record", true},
	// What a stop without notice left is read back from the WAL.
	{"recover", []string{"create", "abandon"}, "record", true},
	// What goes was written by a process that was not killed, and by one that was.
	{"prune", []string{"create", "record", "abandon"}, "prune", false},
	{"restore", []string{"create", "record", "archive"}, "restore", false},
	{"restore pruned", []string{"create", "record", "prune", "archive"}, "restore", false},
	{"repair", []string{"create", "record", "unformat"}, "repair", false},
	// RocksDB finds its files again in a copy beside the log.
	{"repair pruned", []string{"create", "record", "prune", "uncurrent"}, "repair", false},
}

// outcomes are the ways in which a call goes wrong. Those on one line differ little:
// a sample takes one of them in turn.
var outcomes = [][]faults.Outcome{
	{{Errno: unix.EIO}, {Errno: unix.ENOSPC}},
	{{Kill: true}},
	{{Errno: unix.EIO, Done: true}},
	{{Errno: unix.ENOSPC, Half: true}, {Kill: true, Half: true}},
}

// applies leaves out half done calls but for those that write.
func applies(o faults.Outcome, call string) bool {
	return !o.Half || strings.HasPrefix(call, "write ") || strings.HasPrefix(call, "pwrite64 ")
}

var (
	randomName = regexp.MustCompile(`(snapshots/|LOG\.old\.|scratch-)\d+`)
	number     = regexp.MustCompile(`\d+`)
	copied     = regexp.MustCompile(`scratch-\S+`)
)

// name is the same for the same call in each run: files are numbered as they are
// made, but some names are random.
func name(c faults.Call) string { return randomName.ReplaceAllString(c.String(), "$1*") }

// fault is what goes wrong in one run.
type fault struct {
	call    string
	outcome faults.Outcome
}

// all are all faults of all calls.
func all(calls []string) (list []fault) {
	for _, c := range calls {
		for _, o := range slices.Concat(outcomes...) {
			if applies(o, c) {
				list = append(list, fault{c, o})
			}
		}
	}
	return list
}

// sample takes one call of each kind on each kind of file, always the same. What is
// done to a copy that is removed again is of one kind.
func sample(calls []string, whole bool) (list []fault) {
	kinds := map[string][]string{}
	var order []string
	for _, c := range calls {
		kind := number.ReplaceAllString(copied.ReplaceAllString(c, "scratch"), "N")
		if kinds[kind] == nil {
			order = append(order, kind)
		}
		kinds[kind] = append(kinds[kind], c)
	}
	for i, kind := range order {
		call := kinds[kind][len(kinds[kind])/2]
		lines := outcomes
		if !whole {
			n := i % len(outcomes)
			if !applies(outcomes[n][0], call) {
				n = 0
			}
			lines = outcomes[n : n+1]
		}
		for _, alike := range lines {
			if o := alike[i/len(outcomes)%len(alike)]; applies(o, call) {
				list = append(list, fault{call, o})
			}
		}
	}
	return list
}

func mustRun(t *testing.T, scribe, command, dir string) []byte {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), scribe, command, dir).Output()
	if err != nil {
		t.Fatalf("scribe %s: %v: %s", command, err, out)
	}
	return out
}
