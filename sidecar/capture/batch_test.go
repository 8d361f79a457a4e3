package capture

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"google.golang.org/grpc"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
)

// sink takes replies; nothing comes from it.
type sink struct {
	grpc.ServerStream
	ctx     context.Context
	replies []string
}

func (s *sink) Context() context.Context { return s.ctx }

func (*sink) Recv() (*extprocv3.ProcessingRequest, error) { panic("not asked") }

func (s *sink) Send(r *extprocv3.ProcessingResponse) error {
	s.replies = append(s.replies, fmt.Sprintf("%T", r.GetResponse()))
	return nil
}

type unmeasured struct{}

func (unmeasured) WaitedForTurn(time.Duration)     {}
func (unmeasured) WaitedForDisk(time.Duration)     {}
func (unmeasured) WaitedForPipeline(time.Duration) {}
func (unmeasured) Refused(string)                  {}

// TestWhatIsThereAtOneMomentIsOnePart: chunks of one direction are joined, the
// order of the directions stays, and each chunk has its reply.
func TestWhatIsThereAtOneMomentIsOnePart(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "log")
	if _, err := auditlog.Create(dir, auditlog.Origin{}); err != nil {
		t.Fatal(err)
	}
	log, err := auditlog.Open(dir, auditlog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = log.Close(context.Background()) }()
	draft, err := auditlog.NewDraft(&logv1.Event{Kind: &logv1.Event_Request{Request: &logv1.Request{Stream: true}}})
	if err != nil {
		t.Fatal(err)
	}
	placed, err := log.Append(draft).Wait(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	out, messages := &sink{ctx: t.Context()}, make(chan *extprocv3.ProcessingRequest, maxAhead)
	x := &exchange{
		server: New(Options{Log: log, Profile: logv1.Profile_PROFILE_STRICT, Metrics: unmeasured{}, Logger: slog.New(slog.DiscardHandler)}),
		stream: out, messages: messages, phase: released, offset: placed.Offset,
	}
	x.request.stream, x.request.mode = true, bodyInParts
	x.answer.begun, x.answer.seen, x.answer.passed = true, seenInParts, newOmission()
	for _, c := range []string{">a", ">b", "<c", "<d", "<e", ">f", ">"} {
		m := &extprocv3.ProcessingRequest{Request: &extprocv3.ProcessingRequest_RequestBody{RequestBody: &extprocv3.HttpBody{Body: []byte(c[1:])}}}
		if c[0] == '<' {
			m.Request = &extprocv3.ProcessingRequest_ResponseBody{ResponseBody: &extprocv3.HttpBody{Body: []byte(c[1:])}}
		}
		messages <- m
	}
	if more, err := x.next(); !more || err != nil {
		t.Fatal(more, err)
	}
	v, err := log.View()
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	got := ""
	for e, err := range v.Entries(t.Context(), placed.Offset+1, v.Tip().Offset) {
		if err != nil {
			t.Fatal(err)
		}
		ev, err := e.Event()
		if err != nil {
			t.Fatal(err)
		}
		got += fmt.Sprintf(">%s<%s ", ev.GetRequestPart().GetData(), ev.GetResponsePart().GetData())
	}
	if want := ">ab< ><cde >f< "; got != want {
		t.Errorf("parts %q, want %q", got, want)
	}
	if len(out.replies) != 7 {
		t.Errorf("%d replies", len(out.replies))
	}
}
