package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	auditv1 "verbatim/proto/verbatim/audit/v1"
	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/replay/target"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/output"
	"verbatim/tests/forge"
)

// honest is the pipeline whose answer the logs of these tests hold.
func honest(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "text/plain")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body) // a client that is gone is seen elsewhere
	_ = http.NewResponseController(w).Flush()
	w.Header().Set(http.TrailerPrefix+"X-Sum", "1")
}

func serveHTTP(t *testing.T, h http.HandlerFunc) (url string) {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

// recordOne makes a log of one exchange, request 1 and answer 2, with the honest
// pipeline. In parts, the request went on when the answer had come.
func recordOne(t *testing.T, inParts bool) (dir string) {
	t.Helper()
	to, err := target.New(serveHTTP(t, func(w http.ResponseWriter, _ *http.Request) { honest(w, http.StatusOK, "settled") }), target.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	ev := request([]string{"m1"}, "POST", "/v1/readings", []byte("ab"))
	r := ev.GetRequest()
	m, err := to.Do(t.Context(), &target.Request{Headers: r.GetHeaders(), HasBody: true, Body: r.GetBody()})
	if err != nil {
		t.Fatal(err)
	}
	events := []*logv1.Event{ev}
	if inParts {
		r.Stream, r.Body = true, nil
		events = append(events,
			&logv1.Event{Kind: &logv1.Event_RequestPart{RequestPart: &logv1.RequestPart{RequestOffset: 1, Data: []byte("ab")}}},
			&logv1.Event{Kind: &logv1.Event_ResponsePart{ResponsePart: &logv1.ResponsePart{RequestOffset: 1, Headers: m.Headers, Data: m.Body}}},
			&logv1.Event{Kind: &logv1.Event_RequestPart{RequestPart: &logv1.RequestPart{RequestOffset: 1, Last: true}}})
		m.Stream, m.Body = output.StreamOf(m.Body), nil
	}
	c, err := output.Canonical(m, output.DefaultIgnorePolicy())
	if err != nil {
		t.Fatal(err)
	}
	return recordLog(t, append(events, &logv1.Event{Kind: &logv1.Event_Response{Response: &logv1.Response{RequestOffset: 1, Output: c.Output}}}))
}

// recordLog makes a log of these events, from offset 1 on.
func recordLog(t *testing.T, events []*logv1.Event) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "log")
	if _, err := auditlog.Create(dir, auditlog.Origin{}); err != nil {
		t.Fatal(err)
	}
	log, err := auditlog.Open(dir, auditlog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, ev := range events {
		draft, err := auditlog.NewDraft(ev)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := log.Append(draft).Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if err := log.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	return dir
}

// replayJSON replays a log and returns the exit code and what --json printed.
func replayJSON(t *testing.T, dir, url string, args ...string) (int, verdictJSON) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := execute(t.Context(), append([]string{"replay", "--log", dir, "--target", url, "--json"}, args...), &stdout, &stderr)
	var v verdictJSON
	if err := json.Unmarshal(stdout.Bytes(), &v); err != nil {
		t.Fatalf("exit code %d, %v: %s%s", code, err, stdout.String(), stderr.String())
	}
	return code, v
}

// wordy answers whatever it is sent with octets that it does not think about.
func wordy(t *testing.T, said string) (url string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { l.Close(); <-done })
	go func() { // ends when the listener is closed
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = c.Read(make([]byte, 4096)) // what it says needs no request
			_, _ = io.WriteString(c, said)
			c.Close()
		}
	}()
	return "http://" + l.Addr().String()
}

// TestEachCode: each stable code of a difference comes out of the command where that
// difference is made.
func TestEachCode(t *testing.T) {
	answers := func(h http.HandlerFunc) func(*testing.T, string) (string, []string) {
		return func(t *testing.T, _ string) (string, []string) { return serveHTTP(t, h), nil }
	}
	stuck := func(t *testing.T, _ string) (string, []string) {
		return serveHTTP(t, func(_ http.ResponseWriter, q *http.Request) {
			_, _ = io.Copy(io.Discard, q.Body) // its end may never come
			<-q.Context().Done()
		}), []string{"--timeout", "500ms"}
	}
	seen := map[auditv1.DivergenceKind]bool{}
	for _, c := range []struct {
		name    string
		inParts bool
		pipe    func(t *testing.T, dir string) (url string, args []string)
		result  string
		kinds   []string
		fields  []string
		code    int
	}{
		{"nothing differs", false, answers(func(w http.ResponseWriter, _ *http.Request) { honest(w, http.StatusOK, "settled") }), "VERIFIED", nil, nil, 0},
		{"another status", false, answers(func(w http.ResponseWriter, _ *http.Request) {
			honest(w, http.StatusTeapot, "settled")
		}), "DIVERGENCE", []string{"status"}, []string{"status"}, 1},
		{"one header more", false, answers(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-More", "1")
			honest(w, http.StatusOK, "settled")
		}), "DIVERGENCE", []string{"header"}, []string{"header x-more"}, 1},
		{"another body", false, answers(func(w http.ResponseWriter, _ *http.Request) { honest(w, http.StatusOK, "unsettled") }), "DIVERGENCE", []string{"body"}, []string{"body"}, 1},
		{"less body", false, answers(func(w http.ResponseWriter, _ *http.Request) { honest(w, http.StatusOK, "settle") }), "DIVERGENCE", []string{"missing"}, []string{"body"}, 1},
		{"more body", false, answers(func(w http.ResponseWriter, _ *http.Request) { honest(w, http.StatusOK, "settled, again") }), "DIVERGENCE", []string{"extra"}, []string{"body"}, 1},
		{"another trailer", false, answers(func(w http.ResponseWriter, _ *http.Request) {
			honest(w, http.StatusOK, "settled")
			w.Header().Set(http.TrailerPrefix+"X-Sum", "2")
		}), "DIVERGENCE", []string{"trailer"}, []string{"trailer x-sum"}, 1},
		{"several differences", false, answers(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-More", "1")
			honest(w, http.StatusOK, "unsettled")
			w.Header().Set(http.TrailerPrefix+"X-Sum", "2")
		}), "DIVERGENCE", []string{"body", "header", "trailer"}, []string{"header x-more", "body", "trailer x-sum"}, 1},
		{"an answer that breaks off", false, func(t *testing.T, _ string) (string, []string) {
			return wordy(t, "HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\nset"), nil
		}, "DIVERGENCE", []string{"missing"}, []string{}, 1},
		{"no HTTP", false, func(t *testing.T, _ string) (string, []string) {
			return wordy(t, "HTTP/1.1 200 OK\r\nno colon\r\n\r\n"), nil
		}, "DIVERGENCE", []string{"undecodable"}, []string{}, 1},
		{"no answer in time", false, stuck, "DIVERGENCE", []string{"timeout"}, []string{}, 1},
		{"a part that can't be sent", true, stuck, "DIVERGENCE", []string{"order-of-parts"}, []string{}, 1},
		{"nobody there", false, func(*testing.T, string) (string, []string) { return "http://127.0.0.1:1", nil },
			"CANNOT_TELL", []string{"unreachable"}, []string{}, 2},
		{"a broken chain", false, func(t *testing.T, dir string) (string, []string) {
			if err := forge.FlipBit(dir, 1, forge.RawAt+10); err != nil {
				t.Fatal(err)
			}
			return "http://127.0.0.1:1", nil
		}, "TAMPERED", []string{"chain-broken"}, []string{}, 1},
		{"another root", false, func(*testing.T, string) (string, []string) {
			return "http://127.0.0.1:1", []string{"--trusted-root", "2:" + strings.Repeat("0", 64)}
		}, "TAMPERED", []string{"root-differs"}, []string{}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := recordOne(t, c.inParts)
			url, args := c.pipe(t, dir)
			code, v := replayJSON(t, dir, url, args...)
			if v.Result != c.result || code != c.code || (v.Divergence != nil) != (c.kinds != nil) {
				t.Fatalf("exit code %d, %s: %s", code, v.Result, v.Reason)
			}
			if d := v.Divergence; d != nil {
				if !slices.Equal(d.Kinds, c.kinds) || d.Kind != c.kinds[0] || !slices.Equal(d.Fields, c.fields) {
					t.Errorf("kind %s, kinds %q, fields %q", d.Kind, d.Kinds, d.Fields)
				}
				seen[kindNamed(d.Kind)] = true
			}
		})
	}
	for _, k := range kinds() {
		if !seen[k] {
			t.Errorf("no difference is made that has the code %s", kindName(k))
		}
	}
}

// kinds are all codes.
func kinds() (list []auditv1.DivergenceKind) {
	for n := range auditv1.DivergenceKind_name {
		if n != 0 {
			list = append(list, auditv1.DivergenceKind(n))
		}
	}
	slices.Sort(list)
	return list
}

func kindNamed(name string) auditv1.DivergenceKind {
	i := slices.IndexFunc(kinds(), func(k auditv1.DivergenceKind) bool { return kindName(k) == name })
	if i < 0 {
		return 0
	}
	return kinds()[i]
}

// section is a section of docs/replay.md.
func section(t *testing.T, heading string) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/replay.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, found := strings.Cut(string(text), "\n## "+heading+"\n")
	if !found {
		t.Fatalf("docs/replay.md has no section %q", heading)
	}
	before, _, _ := strings.Cut(after, "\n## ")
	return before
}

// documented are the names in the first column of a section's table, in their order.
func documented(t *testing.T, heading string) (names []string) {
	t.Helper()
	for line := range strings.Lines(section(t, heading)) {
		column, _, row := strings.Cut(strings.TrimPrefix(line, "| "), " |")
		if !row {
			continue
		}
		for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(column, -1) {
			names = append(names, m[1])
		}
	}
	return names
}

// TestTheCodesAreDocumented: all of them, and no others.
func TestTheCodesAreDocumented(t *testing.T) {
	var want []string
	for _, k := range kinds() {
		want = append(want, kindName(k))
	}
	got := documented(t, "Codes")
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("docs/replay.md has the codes\n%s\nthere are\n%s", fmt.Sprint(got), fmt.Sprint(want))
	}
}
