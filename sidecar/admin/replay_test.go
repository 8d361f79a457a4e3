package admin_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc/codes"

	auditv1 "verbatim/proto/verbatim/audit/v1"
	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/replay/target"
	"verbatim/sidecar/admin"
	"verbatim/sidecar/output"
)

// pipeline answers with the path and the body that it got, and extra behind them.
type pipeline struct {
	*httptest.Server
	requests atomic.Int64
}

func newPipeline(t *testing.T, extra string) *pipeline {
	t.Helper()
	p := &pipeline{}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.requests.Add(1)
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		fmt.Fprintf(w, "%s %s%s", r.URL.Path, body, extra)
	}))
	t.Cleanup(p.Close)
	return p
}

// record puts exchanges with an honest pipeline into the log.
func record(t *testing.T, s *sidecar, exchanges int) {
	t.Helper()
	honest := newPipeline(t, "")
	to, err := target.New(honest.URL, target.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	for i := range exchanges {
		r := &logv1.Request{MeterIds: []string{fmt.Sprint("m", i%2)}, HasBody: true, Body: fmt.Append(nil, "reading ", i)}
		for _, h := range [][2]string{{":authority", "pipeline"}, {":method", "POST"}, {":path", "/readings"}, {":scheme", "http"}} {
			r.Headers = append(r.Headers, &logv1.Header{Name: []byte(h[0]), Value: []byte(h[1])})
		}
		m, err := to.Do(t.Context(), &target.Request{Headers: r.GetHeaders(), HasBody: true, Body: r.GetBody()})
		if err != nil {
			t.Fatal(err)
		}
		c, err := output.Canonical(m, output.DefaultIgnorePolicy())
		if err != nil {
			t.Fatal(err)
		}
		o := put(t, s.log, &logv1.Event{Kind: &logv1.Event_Request{Request: r}})
		put(t, s.log, &logv1.Event{Kind: &logv1.Event_Response{Response: &logv1.Response{RequestOffset: o, Output: c.Output}}})
	}
}

// split is a replay's events and its verdict, which must be the last message.
func split(t *testing.T, list []*auditv1.ReplayEvent) ([]*auditv1.ReplayedExchange, *auditv1.AuditReplayResponse) {
	t.Helper()
	var events []*auditv1.ReplayedExchange
	for i, m := range list {
		if r := m.GetResponse(); (r != nil) != (i == len(list)-1) {
			t.Fatalf("message %d of %d is %v", i, len(list), m)
		}
		if x := m.GetExchange(); x != nil {
			events = append(events, x)
		}
	}
	if len(list) == 0 {
		t.Fatal("no message")
	}
	return events, list[len(list)-1].GetResponse()
}

func TestAReplayStreamsItsEventsAndThenTheVerdict(t *testing.T) {
	same, other := newPipeline(t, ""), newPipeline(t, "!")
	s := serve(t, func(o *admin.Options) {
		o.Targets = map[string]admin.Target{"same": {URL: same.URL}, "other": {URL: other.URL}}
	})
	record(t, s, 12)
	for _, c := range []struct {
		name    string
		request *auditv1.AuditReplayRequest
		result  auditv1.ReplayResult
		events  int
	}{
		{"all", &auditv1.AuditReplayRequest{Target: "same"}, auditv1.ReplayResult_REPLAY_RESULT_VERIFIED, 12},
		{"a meter", &auditv1.AuditReplayRequest{Target: "same", MeterIdFilter: []string{"m1"}}, auditv1.ReplayResult_REPLAY_RESULT_VERIFIED, 6},
		{"offsets", &auditv1.AuditReplayRequest{Target: "same", StartOffset: new(uint64(3)), EndOffset: new(uint64(6))}, auditv1.ReplayResult_REPLAY_RESULT_VERIFIED, 2},
		{"times", &auditv1.AuditReplayRequest{Target: "same", FromMs: new(uint64(1)), ToMs: new(^uint64(0))}, auditv1.ReplayResult_REPLAY_RESULT_VERIFIED, 12},
		{"differs", &auditv1.AuditReplayRequest{Target: "other"}, auditv1.ReplayResult_REPLAY_RESULT_DIVERGENCE, 1},
		{"all differ", &auditv1.AuditReplayRequest{Target: "other", All: true}, auditv1.ReplayResult_REPLAY_RESULT_DIVERGENCE, 12},
	} {
		list, err := all(s.client.ReplayAuditLog(t.Context(), c.request))
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		events, verdict := split(t, list)
		if verdict.GetResult() != c.result || len(events) != c.events || verdict.GetSent() != uint64(c.events) {
			t.Errorf("%s: %d events, %v", c.name, len(events), verdict)
		}
		for _, x := range events {
			if !x.GetCompared() || x.GetEqual() != (c.result == auditv1.ReplayResult_REPLAY_RESULT_VERIFIED) || x.GetResponseOffset() <= x.GetRequestOffset() {
				t.Errorf("%s: %v", c.name, x)
			}
		}
	}
}

func TestAReplayGoesNowhereElse(t *testing.T) {
	p := newPipeline(t, "")
	address := strings.TrimPrefix(p.URL, "http://")
	s := serve(t, func(o *admin.Options) {
		o.Targets = map[string]admin.Target{
			"staging": {URL: "http://127.0.0.1:9"}, "captured": {URL: p.URL}, "broken": {URL: "ftp://127.0.0.1"},
		}
		o.Captured = func() []string { return []string{"192.0.2.1:80", address} }
	})
	record(t, s, 1)
	const known = "the configuration's replay.targets are broken, captured, staging"
	for _, c := range []struct {
		request  *auditv1.AuditReplayRequest
		code     codes.Code
		sentence string
	}{
		{&auditv1.AuditReplayRequest{Target: p.URL}, codes.InvalidArgument,
			fmt.Sprintf("%q is not the name of a target: %s; a URL is for the command line: verbatim replay --target %s", p.URL, known, p.URL)},
		{&auditv1.AuditReplayRequest{}, codes.InvalidArgument, `"" is not the name of a target: ` + known},
		{&auditv1.AuditReplayRequest{Target: "captured"}, codes.FailedPrecondition,
			fmt.Sprintf("target is being captured: %s leads to %s, whose traffic is recorded; name another instance of the pipeline", p.URL, address)},
		{&auditv1.AuditReplayRequest{Target: "broken"}, codes.FailedPrecondition, ""},
		{&auditv1.AuditReplayRequest{Target: "staging", StartOffset: new(uint64(99))}, codes.OutOfRange,
			"replay: select entry 99: bound lies outside the log, which has the offsets 0 to 2"},
		{&auditv1.AuditReplayRequest{Target: "staging", StartOffset: new(uint64(2)), EndOffset: new(uint64(1))}, codes.InvalidArgument,
			"replay: selection contradicts itself: the start offset 2 is behind the end offset 1"},
	} {
		_, err := all(s.client.ReplayAuditLog(t.Context(), c.request))
		wantStatus(t, err, c.code, c.sentence)
	}
	if n := p.requests.Load(); n != 0 {
		t.Errorf("%d requests reached what is captured", n)
	}
	none := serve(t, nil)
	_, err := all(none.client.ReplayAuditLog(t.Context(), &auditv1.AuditReplayRequest{Target: "x"}))
	wantStatus(t, err, codes.InvalidArgument, `"x" is not the name of a target: the configuration names none under replay.targets`)
}

func TestAnUnreachableTargetIsAVerdict(t *testing.T) {
	p := newPipeline(t, "")
	p.Close()
	s := serve(t, func(o *admin.Options) { o.Targets = map[string]admin.Target{"gone": {URL: p.URL}} })
	record(t, s, 1)
	list, err := all(s.client.ReplayAuditLog(t.Context(), &auditv1.AuditReplayRequest{Target: "gone"}))
	if err != nil {
		t.Fatal(err)
	}
	if _, verdict := split(t, list); verdict.GetResult() != auditv1.ReplayResult_REPLAY_RESULT_CANNOT_TELL {
		t.Errorf("%v", verdict)
	}
}

func TestOneReplayAtATimeIntoATarget(t *testing.T) {
	arrived, answer := make(chan struct{}), make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		arrived <- struct{}{}
		<-answer
	}))
	defer slow.Close()
	s := serve(t, func(o *admin.Options) {
		o.Targets = map[string]admin.Target{"slow": {URL: slow.URL}, "alias": {URL: slow.URL}}
	})
	record(t, s, 1)
	first, err := s.client.ReplayAuditLog(t.Context(), &auditv1.AuditReplayRequest{Target: "slow"})
	if err != nil {
		t.Fatal(err)
	}
	<-arrived
	_, err = all(s.client.ReplayAuditLog(t.Context(), &auditv1.AuditReplayRequest{Target: "alias"}))
	wantStatus(t, err, codes.Aborted, fmt.Sprintf("a replay into %s is under way; try again when it has ended", slow.URL))
	close(answer)
	if list, err := all(first, nil); err != nil || len(list) != 2 {
		t.Errorf("first replay: %v, %v", list, err)
	}
	go func() { <-arrived }() // ends with the request of the next replay
	if _, err := all(s.client.ReplayAuditLog(t.Context(), &auditv1.AuditReplayRequest{Target: "alias"})); err != nil {
		t.Errorf("next replay: %v", err)
	}
}
