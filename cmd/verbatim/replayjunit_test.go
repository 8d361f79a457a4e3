package main

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	auditv1 "verbatim/proto/verbatim/audit/v1"
	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/output"
)

// TestJUnitSaysWhatDiffers: where, by which code, behind what, and how; and it is XML
// whatever the answers hold.
func TestJUnitSaysWhatDiffers(t *testing.T) {
	answer := func(to uint64, body string) *logv1.Event {
		c, err := output.Canonical(output.Message{Status: 200, Headers: []*logv1.Header{
			header("content-type", "text/plain"), header("content-length", fmt.Sprint(len(body))),
		}, Body: []byte(body)}, output.DefaultIgnorePolicy())
		if err != nil {
			t.Fatal(err)
		}
		return &logv1.Event{Kind: &logv1.Event_Response{Response: &logv1.Response{RequestOffset: to, Output: c.Output}}}
	}
	dir := recordLog(t, []*logv1.Event{
		request([]string{"m1"}, "GET", "/same", nil), answer(1, "same"),
		request([]string{"m1"}, "GET", "/gone", nil),
		{Kind: &logv1.Event_Abort{Abort: &logv1.Abort{RequestOffset: 3, Delivered: logv1.Delivered_DELIVERED_MAYBE}}},
		request([]string{"m1"}, "GET", "/text", nil), answer(5, "\x01 <&]]>\non\x7f"),
	})
	url := serveHTTP(t, func(w http.ResponseWriter, q *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		body := "same"
		if q.URL.Path == "/text" {
			body = "\x01 <&]]>\ntwo"
		}
		_, _ = w.Write([]byte(body)) // a client that is gone is seen elsewhere
	})
	file := filepath.Join(t.TempDir(), "report.xml")
	if code, v := replayJSON(t, dir, url, "--all", "--junit", file); code != exitNoAnswer || v.Divergence.After != "unfinished event 3" || v.Doubtful != 1 {
		t.Errorf("exit code %d, %+v", code, v)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var suite junitSuite
	if err := xml.Unmarshal(text, &suite); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	if suite.Tests != 2 || suite.Errors != 1 || suite.Failures != 1 || len(suite.Cases) != 2 || suite.Cases[0].Error == nil || suite.Cases[1].Failure == nil {
		t.Fatalf("suite %+v", suite)
	}
	if want := "CANNOT_TELL: the answer at 6 differs, but after unfinished event 3: "; !strings.HasPrefix(suite.Cases[0].Error.Message, want) {
		t.Errorf("verdict %q", suite.Cases[0].Error.Message)
	}
	want := "request 5, answered at 6: body; after unfinished event 3\n  \"- body line 2: on\\x7f\"\n  + body line 2: two"
	if f := suite.Cases[1].Failure; f.Text != want || f.Message != "1 answers differ" {
		t.Errorf("%q: %q, want %q", f.Message, f.Text, want)
	}
}

// TestJUnitHasACaseForEachThousandOffsets, and tells the first ten differences of each.
func TestJUnitHasACaseForEachThousandOffsets(t *testing.T) {
	r := &replayReport{}
	for i := range uint64(30) {
		at := 100 * i // 0 to 2900
		for _, x := range []*auditv1.ReplayedExchange{
			{RequestOffset: at, Compared: true, Equal: at == 0, Replay: 1, DurationUs: 5, ResponseOffset: new(at + 1)},
			{RequestOffset: at, Compared: true, Replay: 2}, {RequestOffset: at, Warmed: true, Replay: 1}, {RequestOffset: at + 2, Replay: 1},
		} {
			if err := r.add(x); err != nil {
				t.Fatal(err)
			}
		}
	}
	for range 5 {
		if err := r.add(&auditv1.ReplayedExchange{RequestOffset: 2999, Compared: true, Replay: 1}); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	for _, w := range r.windows {
		got = append(got, fmt.Sprintf("%d: %d of %d differ, %d shown, %d us", w.first, w.different, w.compared, len(w.shown), w.durationUS))
	}
	want := "0: 9 of 10 differ, 9 shown, 50 us; 1000: 10 of 10 differ, 10 shown, 50 us; 2000: 15 of 15 differ, 10 shown, 50 us"
	if s := strings.Join(got, "; "); s != want {
		t.Errorf("got  %s\nwant %s", s, want)
	}
}
