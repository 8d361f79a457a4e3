package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// question is a request of a client that waits for each answer.
type question struct{ method, path, body string }

// questions reach what a misbehaving pipeline does wrong one after the other:
// the first answer has neither time nor token nor price, the second has a price
// of nothing, the third has all of them.
var questions = []question{
	{"GET", "/healthz", ""},
	{"POST", "/v1/readings", `{"meter_id":"m1","kwh":0,"register":"1.8.0"}`},
	{"POST", "/v1/readings", `{"meter_id":"m1","kwh":1.5,"register":"1.8.0"}`},
	{"POST", "/v1/readings", `{"meter_id":"m2","kwh":0.25,"register":"1.8.0"}`},
	{"GET", "/v1/meters/m1", ""},
}

const (
	firstSettlement = 1 // in questions
	firstPrice      = 2
)

// ask sends questions through Envoy and fails the test unless each is answered
// with 200.
func (s *site) ask(list []question) {
	s.t.Helper()
	client := &http.Client{Transport: &http.Transport{MaxConnsPerHost: 1}}
	defer client.CloseIdleConnections()
	for _, q := range list {
		r, err := http.NewRequestWithContext(s.t.Context(), q.method, "http://"+s.envoy.Addr+q.path, strings.NewReader(q.body))
		if err != nil {
			s.t.Fatal(err)
		}
		answer, err := client.Do(r)
		if err != nil {
			s.t.Fatal(err)
		}
		answer.Body.Close() // its status is all that is wanted
		if answer.StatusCode != http.StatusOK {
			s.t.Fatalf("%s %s: status %d", q.method, q.path, answer.StatusCode)
		}
	}
}

// recordQuestions records questions to a pipeline and stops everything.
func recordQuestions(t *testing.T, misbehave string) (*site, []*recorded) {
	t.Helper()
	s := newSite(t, siteOptions{misbehave: misbehave})
	s.ask(questions)
	s.stop()
	s.verify(0, s.log)
	list := recordedExchanges(t, s.log)
	if len(list) != len(questions) {
		t.Fatalf("%d exchanges recorded of %d", len(list), len(questions))
	}
	return s, list
}

// TestMisbehavingPipelines replays into pipelines that are no function of their
// recorded input, or of another one: each is found at the first answer that shows
// it, with the field that does.
func TestMisbehavingPipelines(t *testing.T) {
	for misbehave, into := range map[string]map[string]fault{
		"none": {
			"none":       {},
			"wall-clock": {firstSettlement, []string{"/settled_at"}},
			"random":     {firstSettlement, []string{"/token"}},
			"tariff":     {firstPrice, []string{"/price_micro", "/settled_micro"}},
		},
		// It ignored the clock when it was recorded, and does so again.
		"wall-clock": {"wall-clock": {firstSettlement, []string{"/settled_at"}}},
		"random": {
			"random": {firstSettlement, []string{"/token"}},
			"none":   {firstSettlement, []string{"/token"}},
		},
		// Another price list is a function of the input all the same.
		"tariff": {
			"tariff": {},
			"none":   {firstPrice, []string{"/price_micro", "/settled_micro"}},
		},
	} {
		t.Run("recorded with "+misbehave, func(t *testing.T) {
			s, list := recordQuestions(t, misbehave)
			for replayed, want := range into {
				t.Run("replayed into "+replayed, func(t *testing.T) { want.check(t, s, list, replayed) })
			}
		})
	}
}

// fault is the first question whose answer differs, and the fields in which it
// does; none for a pipeline that gives the same answers.
type fault struct {
	first  int
	fields []string
}

func (f fault) check(t *testing.T, s *site, list []*recorded, misbehave string) {
	if len(f.fields) == 0 {
		if v := s.replayInto(0, s.log, misbehave); v.Result != "VERIFIED" || v.Compared != uint64(len(list)) || v.OriginalRoot != v.ReplayRoot {
			t.Errorf("verdict %+v", v)
		}
		return
	}
	v := s.replayInto(1, s.log, misbehave)
	d, x := v.Divergence, list[f.first]
	if v.Result != "DIVERGENCE" || d == nil || d.Kind != "body" || len(d.Overlapping) > 0 {
		t.Fatalf("verdict %+v", v)
	}
	if d.FirstBadOffset != x.response.Offset || d.RequestOffset != x.request.Offset || v.Compared != uint64(f.first)+1 {
		t.Errorf("%d compared, diverged at %d, the answer to %d; want %d, the answer to %d",
			v.Compared, d.FirstBadOffset, d.RequestOffset, x.response.Offset, x.request.Offset)
	}
	if want := fmt.Sprintf("the answer to request %d, recorded at %d, differs", x.request.Offset, x.response.Offset); v.Reason != want {
		t.Errorf("reason %q, want %q", v.Reason, want)
	}
	checkFields(t, d.Diff, f.fields)
	all := s.replayInto(1, s.log, misbehave, "--all")
	if all.Compared != uint64(len(list)) || all.Divergence.FirstBadOffset != d.FirstBadOffset || all.Differences < 2 {
		t.Errorf("with --all: %+v", all)
	}
}

// checkFields wants a line before and a line after for each field. A wall clock
// may differ by more than the time: the tariff depends on the hour. A number with
// another count of digits makes the answer's length differ, too.
func checkFields(t *testing.T, diff, fields []string) {
	t.Helper()
	text := strings.Join(diff, "\n")
	for _, f := range fields {
		if !strings.Contains(text, "- body "+f+": ") || !strings.Contains(text, "+ body "+f+": ") {
			t.Errorf("the diff does not show %s:\n%s", f, text)
		}
	}
	ofFields := slices.DeleteFunc(slices.Clone(diff), func(line string) bool { return strings.Contains(line, " header content-length: ") })
	if len(ofFields) != 2*len(fields) && fields[0] != "/settled_at" {
		t.Errorf("the diff shows more than %v:\n%s", fields, text)
	}
}
