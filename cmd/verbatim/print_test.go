package main

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/output"
	"verbatim/sidecar/verify"
)

// drawing clears a screen, by C0 and by C1, erases, turns the direction of text, and
// makes a line of its own.
const drawing = "\x1b[2J\u009b1A\b\x7f\r\u202e\u2028\nVERIFIED: it is not"

// plain says whether a text is lines of what can be printed.
func plain(text string) bool {
	return utf8.ValidString(text) && strings.IndexFunc(text, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }) < 0 &&
		!strings.Contains(text, "\nVERIFIED: it is not")
}

// recordDrawing makes a log that draws wherever a stranger has a word.
func recordDrawing(t *testing.T) (dir string) {
	t.Helper()
	return recordLog(t, []*logv1.Event{
		{Kind: &logv1.Event_Start{Start: &logv1.Start{
			BootId: drawing, VerbatimVersion: drawing, Pipeline: &logv1.Pipeline{Name: drawing, ImageDigest: drawing},
			Ordering: logv1.Ordering_ORDERING_METER, Profile: logv1.Profile_PROFILE_FAIL_OPEN, IgnorePolicy: output.DefaultIgnorePolicy().Policy(),
		}}},
		request([]string{drawing}, "GET", "/", nil),
		drawn(t, 2, "recorded"),
		request([]string{drawing}, "GET", "/"+drawing, nil, header("x-note", drawing+"\xff")),
		{Kind: &logv1.Event_Abort{Abort: &logv1.Abort{RequestOffset: 4, Delivered: logv1.Delivered_DELIVERED_MAYBE, Reason: drawing}}},
		{Kind: &logv1.Event_Gap{Gap: &logv1.Gap{Exchanges: 1, SinceMs: uint64(recordedAt.AddDate(1, 0, 0).UnixMilli()), Witness: drawing, Reason: drawing}}},
	})
}

func drawn(t *testing.T, to uint64, body string) *logv1.Event {
	t.Helper()
	c, err := output.Canonical(output.Message{Status: 200, Headers: []*logv1.Header{
		header("content-type", "text/plain"), header("x-note", drawing+"\xff"),
	}, Body: []byte(body + drawing)}, output.DefaultIgnorePolicy())
	if err != nil {
		t.Fatal(err)
	}
	return &logv1.Event{Kind: &logv1.Event_Response{Response: &logv1.Response{RequestOffset: to, Output: c.Output}}}
}

// TestNothingFromOutsideDrawsOnATerminal: whatever text a command prints, and where to.
func TestNothingFromOutsideDrawsOnATerminal(t *testing.T) {
	dir := recordDrawing(t)
	pipeline := serveHTTP(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		w.Header().Set("X-Note", "\u009b1A\u202e\xfe")
		_, _ = w.Write([]byte("replayed" + drawing)) // a client that is gone is seen elsewhere
	})
	files := t.TempDir()
	proof := filepath.Join(files, "divergence.vbev")
	settings := filepath.Join(files, "serve.yaml")
	if err := os.WriteFile(settings, []byte(`"no\x1b[2J\u202Esetting": 1`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		code int
		want string // part of what is printed
	}{
		{[]string{"query", "--log", dir}, exitOK, `\x1b[2J\u009b1A\b\x7f\r\u202e\u2028\nVERIFIED`},
		{[]string{"query", "--log", dir, "--limit", "1", "--cursor", drawing}, exitNoAnswer, `\u202e`},
		{[]string{"verify", "--log", dir}, exitOK, "CHAINED"},
		{[]string{"verify", "--log", dir + drawing}, exitNoAnswer, `\u202e`},
		{[]string{"status", "--log", dir}, exitOK, `\u202e`},
		{[]string{"replay", "--log", dir, "--target", pipeline, "--to", "2", "--evidence", proof}, exitFinding, `body line 1: recorded\x1b[2J\u009b1A\b\x7f\r\u202e\u2028`},
		{[]string{"verify-evidence", "--show", proof}, exitOK, `recorded\\u001b[2J`},
		{[]string{"hold", "add", "--log", dir, "--meter", drawing, "--reason", drawing}, exitOK, `\u202e`},
		{[]string{"hold", "list", "--log", dir}, exitOK, `\u202e`},
		{[]string{"doctor", "--envoy-config", settings}, exitNoAnswer, "not an Envoy configuration"},
		{[]string{"serve", "--log", dir, "--config", settings}, exitNoAnswer, `\u202e`},
		{[]string{drawing}, exitNoAnswer, `\u202e`},
		{[]string{"verify", "--" + drawing}, exitNoAnswer, `\u202e`},
	} {
		var said bytes.Buffer
		if code := execute(t.Context(), c.args, &said, &said); code != c.code || !plain(said.String()) || !strings.Contains(said.String(), c.want) {
			t.Errorf("%q: exit code %d, %q", c.args, code, said.String())
		}
	}
}

func TestPrintedArgumentsKeepTheirPlace(t *testing.T) {
	for _, c := range []struct {
		format string
		arg    any
		want   string
	}{
		{"a\t%s|", "plain ü ✓ \\x1b", "a\tplain ü ✓ \\x1b|\n"},
		{"%-4s|", "ü", "ü   |\n"},
		{"%s|", "\x1b[2J", `"\x1b[2J"` + "|\n"},
		{"%s|", []byte("a\x00"), `"a\x00"` + "|\n"},
		{"%v|", []string{"a", "\u202e"}, `"[a \u202e]"` + "|\n"},
		{"%q|", "\x7f", `"\x7f"` + "|\n"},
		{"%v|", os.ErrNotExist, "file does not exist|\n"},
		{"%x|", []byte{0x1b}, "1b|\n"},
		{"%4d|", 7, "   7|\n"},
	} {
		var b strings.Builder
		if err := printLine(&b, c.format, c.arg); err != nil || b.String() != c.want {
			t.Errorf("%q of %q: %q, %v; want %q", c.format, c.arg, b.String(), err, c.want)
		}
	}
}

// TestAFindingBeginsWithItsPlace, for whoever looks for one, and with whatever text.
func TestAFindingBeginsWithItsPlace(t *testing.T) {
	var b strings.Builder
	p := &printer{w: &b}
	printFinding(p, "FINDING at", verify.Finding{Offset: 7, Code: verify.CodeUndecodable, Text: "decode: proto:\u00a0cannot parse"})
	if want := `FINDING at offset 7: undecodable: "decode: proto:\u00a0cannot parse"` + "\n"; p.err != nil || b.String() != want {
		t.Errorf("%q, %v; want %q", b.String(), p.err, want)
	}
}
