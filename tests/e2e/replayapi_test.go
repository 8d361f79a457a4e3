package e2e

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	auditv1 "verbatim/proto/verbatim/audit/v1"
	"verbatim/tests/mesh"
)

// replayAPI returns what a replay streamed before the verdict, and the verdict,
// nil where it ended with an error.
func replayAPI(t *testing.T, audit auditv1.AuditServiceClient, r *auditv1.AuditReplayRequest) ([]*auditv1.ReplayedExchange, *auditv1.AuditReplayResponse, error) {
	t.Helper()
	stream, err := audit.ReplayAuditLog(t.Context(), r)
	list, err := collect(t, stream, err)
	var exchanges []*auditv1.ReplayedExchange
	for i, m := range list {
		if response := m.GetResponse(); response != nil && i == len(list)-1 {
			return exchanges, response, err
		}
		if m.GetExchange() == nil {
			t.Fatalf("message %d of %d is %v", i, len(list), m)
		}
		exchanges = append(exchanges, m.GetExchange())
	}
	return exchanges, nil, err
}

// checkReplayAPI: each event streams, in order, then comes the verdict; and the
// log that records does not notice.
func checkReplayAPI(t *testing.T, audit auditv1.AuditServiceClient, entries []*auditv1.QueryEntriesResponse) {
	exchanges, verdict, err := replayAPI(t, audit, &auditv1.AuditReplayRequest{Target: "fresh"})
	if err != nil || verdict.GetResult() != auditv1.ReplayResult_REPLAY_RESULT_VERIFIED || verdict.GetCompared() != adminEvents ||
		!bytes.Equal(verdict.GetOriginalRoot(), verdict.GetReplayRoot()) || verdict.GetFootersChecked() != 1 || verdict.GetFootersEqual() != 1 {
		t.Fatalf("verdict %v, %v", verdict, err)
	}
	if len(exchanges) != adminEvents || !slices.IsSortedFunc(exchanges, func(a, b *auditv1.ReplayedExchange) int {
		return int(a.GetRequestOffset()) - int(b.GetRequestOffset())
	}) {
		t.Fatalf("%d events streamed, or out of order", len(exchanges))
	}
	for _, x := range exchanges {
		answer := entries[x.GetResponseOffset()].GetEvent().GetResponse()
		if !x.GetCompared() || !x.GetEqual() || len(x.GetMeterIds()) != 1 || answer.GetRequestOffset() != x.GetRequestOffset() ||
			!bytes.Equal(x.GetOriginalHash(), x.GetReplayHash()) || len(x.GetReplayHash()) != 32 {
			t.Fatalf("streamed %v", x)
		}
	}
	t.Run("one meter", func(t *testing.T) {
		// The strange pipeline has not seen this meter yet, and prices it otherwise; but the
		// other meters, which are not sent, could explain that too.
		exchanges, verdict, err := replayAPI(t, audit, &auditv1.AuditReplayRequest{Target: "strange", MeterIdFilter: []string{mesh.MeterID(4)}, All: true})
		if err != nil || verdict.GetResult() != auditv1.ReplayResult_REPLAY_RESULT_CANNOT_TELL || len(exchanges) != adminEvents/adminMeters {
			t.Fatalf("verdict %v, %v after %d events", verdict, err, len(exchanges))
		}
		d, first := verdict.GetDivergence(), exchanges[0]
		if d.GetFirstBadOffset() != first.GetResponseOffset() || first.GetEqual() || !bytes.Equal(d.GetReplayHash(), first.GetReplayHash()) {
			t.Errorf("divergence %v, first event %v", d, first)
		}
		checkFields(t, d.GetDiff(), []string{"/price_micro", "/settled_micro"})
	})
	t.Run("refused", func(t *testing.T) {
		behind, start, end := uint64(len(entries)), uint64(5), uint64(2)
		for sentence, c := range map[string]struct {
			request *auditv1.AuditReplayRequest
			code    codes.Code
		}{
			`"nobody" is not the name of a target: the configuration's replay.targets are fresh, loop, strange, stuck`: {
				&auditv1.AuditReplayRequest{Target: "nobody"}, codes.InvalidArgument},
			"a URL is for the command line: verbatim replay --target http://127.0.0.1:1": {
				&auditv1.AuditReplayRequest{Target: "http://127.0.0.1:1"}, codes.InvalidArgument},
			"bound lies outside the log": {&auditv1.AuditReplayRequest{Target: "fresh", StartOffset: &behind}, codes.OutOfRange},
			"the start offset 5 is behind the end offset 2": {
				&auditv1.AuditReplayRequest{Target: "fresh", StartOffset: &start, EndOffset: &end}, codes.InvalidArgument},
		} {
			exchanges, _, err := replayAPI(t, audit, c.request)
			if status.Code(err) != c.code || !strings.Contains(err.Error(), sentence) || len(exchanges) > 0 {
				t.Errorf("%v, want %v with %q", err, c.code, sentence)
			}
		}
	})
}

// checkLoop: a named target that leads back here is refused by the guard, and
// nothing of it is captured.
func checkLoop(t *testing.T, s *site, audit auditv1.AuditServiceClient, entries []*auditv1.QueryEntriesResponse) {
	exchanges, verdict, err := replayAPI(t, audit, &auditv1.AuditReplayRequest{Target: "loop"})
	if err != nil || verdict.GetResult() != auditv1.ReplayResult_REPLAY_RESULT_CANNOT_TELL || len(exchanges) > 0 ||
		!strings.Contains(verdict.GetReason(), "lead back to where its traffic is recorded") {
		t.Errorf("verdict %v, %v after %d events", verdict, err, len(exchanges))
	}
	if _, page := getPage(t, "http://"+s.sidecar.Admin+"/metrics"); !strings.Contains(page, "verbatim_refused_total{reason=\"replayed\"} 1\n") {
		t.Error("the metrics do not count the refused request")
	}
	if now := queryAll(t, audit, &auditv1.QueryEntriesRequest{}); len(now) != len(entries) {
		t.Errorf("%d entries after the replays, %d before", len(now), len(entries))
	}
}

// stuckPipeline never answers; it says when it is asked.
func stuckPipeline(t *testing.T) (url string, asked <-chan struct{}) {
	t.Helper()
	arrived := make(chan struct{}, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // only behind it the end of the connection is seen
		arrived <- struct{}{}
		<-r.Context().Done()
	}))
	t.Cleanup(server.Close)
	return server.URL, arrived
}

// checkReplayStopped: who called is told what was compared until the sidecar stopped.
func checkReplayStopped(t *testing.T, s *site, audit auditv1.AuditServiceClient, asked <-chan struct{}) {
	stream, err := audit.ReplayAuditLog(t.Context(), &auditv1.AuditReplayRequest{Target: "stuck"})
	if err != nil {
		t.Fatal(err)
	}
	<-asked
	s.stop()
	list, err := collect(t, stream, nil)
	if err != nil || len(list) != 1 {
		t.Fatalf("%v, %v", list, err)
	}
	verdict := list[0].GetResponse()
	if want := fmt.Sprintf("; 0 of %d answers were compared", adminEvents); verdict.GetResult() != auditv1.ReplayResult_REPLAY_RESULT_CANNOT_TELL ||
		!strings.HasPrefix(verdict.GetReason(), "stopped at offset ") || !strings.HasSuffix(verdict.GetReason(), want) {
		t.Errorf("verdict %v", verdict)
	}
}
