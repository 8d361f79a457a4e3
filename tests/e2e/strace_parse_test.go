package e2e

import (
	"encoding/hex"
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// straceCall is one system call of a trace that has returned.
type straceCall struct {
	name   string
	file   string // what the first argument, a descriptor, stands for
	data   []byte // what was written: the first result octets of the argument
	result int    // negative: it failed
	// Lines of the trace, from 1, on which it was entered and left. strace lets a
	// thread run on only after it has printed that the thread entered or left, so
	// what the program orders has this order in the trace.
	began, ended int
}

var (
	straceResumed = regexp.MustCompile(`^<\.\.\. (\w+) resumed>(.*)$`)
	straceWhole   = regexp.MustCompile(`^(\w+)\(\d+<([^>]*)>(.*)\)\s+= (-?\d+)`)
	straceString  = regexp.MustCompile(`"([^"]*)"(\.\.\.)?`)
)

const straceUnfinished = " <unfinished ...>"

// straceEntry is the part of a call that was printed when it was entered.
type straceEntry struct {
	text string
	line int
}

// parseStrace reads the whole output of strace -f -y -xx -e signal=none -o, and says
// whether the program exited with 0. What it does not understand is an error.
// A call that never returned is left out.
func parseStrace(trace string) (calls []straceCall, exited bool, err error) {
	unfinished := map[string]straceEntry{} // by thread
	n := 0
	for line := range strings.Lines(trace) {
		n++
		text, whole := strings.CutSuffix(line, "\n")
		thread, text, _ := strings.Cut(text, " ")
		text = strings.TrimSpace(text)
		call := straceEntry{text, n}
		switch {
		case !whole:
			return nil, false, fmt.Errorf("read trace: line %d breaks off", n)
		case strings.HasPrefix(text, "+++ "):
			exited = text == "+++ exited with 0 +++"
			continue
		case strings.HasSuffix(text, straceUnfinished):
			unfinished[thread] = straceEntry{strings.TrimSuffix(text, straceUnfinished), n}
			continue
		case strings.HasPrefix(text, "<... "):
			call = unfinished[thread]
			delete(unfinished, thread)
			rest := straceResumed.FindStringSubmatch(text)
			if len(rest) == 0 || !strings.HasPrefix(call.text, rest[1]+"(") {
				return nil, false, fmt.Errorf("read trace: line %d resumes what thread %s did not begin: %.80s", n, thread, text)
			}
			call.text += rest[2]
		}
		c, err := parseStraceCall(call.text)
		if err != nil {
			return nil, false, fmt.Errorf("read trace: line %d: %w", n, err)
		}
		c.began, c.ended = call.line, n
		calls = append(calls, c)
	}
	return calls, exited, nil
}

func parseStraceCall(text string) (straceCall, error) {
	m := straceWhole.FindStringSubmatch(text)
	if m == nil {
		return straceCall{}, fmt.Errorf("not a call on a descriptor: %.80s", text)
	}
	c := straceCall{name: m[1]}
	file, err := unhex(m[2])
	if err != nil {
		return c, err
	}
	c.file = string(file)
	if c.result, err = strconv.Atoi(m[4]); err != nil {
		return c, err
	}
	for _, s := range straceString.FindAllStringSubmatch(m[3], -1) { // several of writev and sendmsg
		octets, err := unhex(s[1])
		if err != nil || s[2] != "" {
			return c, fmt.Errorf("a shortened or undecodable string: %.80s: %w", text, err)
		}
		c.data = append(c.data, octets...)
	}
	c.data = c.data[:max(0, min(c.result, len(c.data)))]
	return c, nil
}

// unhex decodes \x61\x62; what is not escaped stands for itself.
func unhex(s string) ([]byte, error) {
	if !strings.HasPrefix(s, `\x`) {
		return []byte(s), nil
	}
	return hex.DecodeString(strings.ReplaceAll(s, `\x`, ""))
}

func TestParseStrace(t *testing.T) {
	for name, c := range map[string]struct {
		trace  string
		want   []straceCall
		exited bool
		err    string
	}{
		"whole call":       {"7 write(3<\\x61\\x2f\\x62>, \"\\x68\\x69\", 2) = 2\n", []straceCall{{"write", "a/b", []byte("hi"), 2, 1, 1}}, false, ""},
		"plain descriptor": {"7  fdatasync(3<socket:[8]>)   = 0\n", []straceCall{{"fdatasync", "socket:[8]", nil, 0, 1, 1}}, false, ""},
		"part written":     {"7 write(3<a>, \"\\x68\\x69\", 2) = 1\n", []straceCall{{"write", "a", []byte("h"), 1, 1, 1}}, false, ""},
		"failed":           {"7 write(3<a>, \"\\x68\", 1) = -1 ENOSPC (No space left on device)\n", []straceCall{{"write", "a", []byte{}, -1, 1, 1}}, false, ""},
		"two strings":      {"7 writev(3<a>, [{iov_base=\"\\x68\", iov_len=1}, {iov_base=\"\\x69\", iov_len=1}], 2) = 2\n", []straceCall{{"writev", "a", []byte("hi"), 2, 1, 1}}, false, ""},
		"exited":           {"7 +++ exited with 0 +++\n", nil, true, ""},
		"exited badly":     {"7 +++ exited with 1 +++\n", nil, false, ""},
		"killed":           {"7 +++ killed by SIGKILL +++\n", nil, false, ""},
		"unfinished": {
			"7 fdatasync(3<a> <unfinished ...>\n8 write(4<b>, \"\\x68\", 1 <unfinished ...>\n7 <... fdatasync resumed>) = 0\n8 <... write resumed>)          = 1\n",
			[]straceCall{{"fdatasync", "a", nil, 0, 1, 3}, {"write", "b", []byte("h"), 1, 2, 4}}, false, "",
		},
		"never returned":      {"7 fdatasync(3<a> <unfinished ...>\n", nil, false, ""},
		"resumed from where":  {"7 <... write resumed>) = 0\n", nil, false, "did not begin"},
		"resumed another":     {"7 fsync(3<a> <unfinished ...>\n7 <... write resumed>) = 0\n", nil, false, "did not begin"},
		"shortened string":    {"7 write(3<a>, \"\\x68\"..., 2) = 2\n", nil, false, "shortened"},
		"no descriptor":       {"7 getpid() = 7\n", nil, false, "not a call"},
		"half a line":         {"7 fsync(3<a>)", nil, false, "breaks off"},
		"not a hex character": {"7 write(3<a>, \"\\x6g\", 1) = 1\n", nil, false, "undecodable"},
	} {
		t.Run(name, func(t *testing.T) {
			got, exited, err := parseStrace(c.trace)
			if (err != nil) != (c.err != "") || err != nil && !strings.Contains(err.Error(), c.err) {
				t.Fatalf("error %v, want %q", err, c.err)
			}
			if !reflect.DeepEqual(got, c.want) || exited != c.exited {
				t.Errorf("got %+v, exited %v; want %+v", got, exited, c.want)
			}
		})
	}
}
