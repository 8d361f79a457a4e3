package capture

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"google.golang.org/grpc"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/room"
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

// partsRig is an exchange that is seen in parts both ways, in a log of its own,
// with no room for whole bodies.
func partsRig(t *testing.T) (*exchange, *sink, chan<- message) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "log")
	if _, err := auditlog.Create(dir, auditlog.Origin{}); err != nil {
		t.Fatal(err)
	}
	log, err := auditlog.Open(dir, auditlog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = log.Close(context.Background()) }) // its end is not what is tested
	draft, err := auditlog.NewDraft(&logv1.Event{Kind: &logv1.Event_Request{Request: &logv1.Request{Stream: true}}})
	if err != nil {
		t.Fatal(err)
	}
	placed, err := log.Append(draft).Wait(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	out, messages := &sink{ctx: t.Context()}, make(chan message, maxAhead)
	x := &exchange{
		server: New(Options{Log: log, Room: room.New(0), Profile: logv1.Profile_PROFILE_STRICT, Metrics: unmeasured{}, Logger: slog.New(slog.DiscardHandler)}),
		stream: out, messages: messages, phase: released, offset: placed.Offset,
	}
	x.backlog = newBacklog()
	x.backlog.begin()
	x.request.stream, x.request.mode = true, bodyInParts
	x.answer.begun, x.answer.seen, x.answer.passed = true, seenInParts, newOmission()
	return x, out, messages
}

// chunk is a piece of the request, ">", or of the answer, "<".
func chunk(c string) *extprocv3.ProcessingRequest {
	body := &extprocv3.HttpBody{Body: []byte(c[1:])}
	if c[0] == '<' {
		return &extprocv3.ProcessingRequest{Request: &extprocv3.ProcessingRequest_ResponseBody{ResponseBody: body}}
	}
	return &extprocv3.ProcessingRequest{Request: &extprocv3.ProcessingRequest_RequestBody{RequestBody: body}}
}

// partsIn are the entries behind an exchange's first, as chunks.
func partsIn(t *testing.T, x *exchange) (list string) {
	t.Helper()
	behind, err := auditlog.NewDraft(&logv1.Event{Kind: &logv1.Event_Gap{Gap: &logv1.Gap{}}})
	if err != nil {
		t.Fatal(err)
	}
	last, err := x.server.Log.Append(behind).Wait(t.Context()) // nobody waits for an Abort
	if err != nil {
		t.Fatal(err)
	}
	v, err := x.server.Log.View()
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	for e, err := range v.Entries(t.Context(), x.offset+1, last.Offset-1) {
		if err != nil {
			t.Fatal(err)
		}
		ev, err := e.Event()
		if err != nil {
			t.Fatal(err)
		}
		if a := ev.GetAbort(); a != nil {
			list += fmt.Sprint(a.GetDelivered(), " ", a.GetCause())
			continue
		}
		list += fmt.Sprintf(">%s<%s ", ev.GetRequestPart().GetData(), ev.GetResponsePart().GetData())
	}
	return list
}

// TestWhatIsThereAtOneMomentIsOnePart: chunks of one direction are joined, the
// order of the directions stays, and each chunk has its reply.
func TestWhatIsThereAtOneMomentIsOnePart(t *testing.T) {
	x, out, messages := partsRig(t)
	for _, c := range []string{">a", ">b", "<c", "<d", "<e", ">f", ">"} {
		messages <- x.backlog.take(t.Context(), chunk(c))
	}
	if more, err := x.next(); !more || err != nil {
		t.Fatal(more, err)
	}
	if got, want := partsIn(t, x), ">ab< ><cde >f< "; got != want {
		t.Errorf("parts %q, want %q", got, want)
	}
	if len(out.replies) != 7 {
		t.Errorf("%d replies", len(out.replies))
	}
}

// TestAStreamWaitsForTheDisk: what is not recorded has a bound, and a chunk that is
// larger than that passes alone.
func TestAStreamWaitsForTheDisk(t *testing.T) {
	x, _, messages := partsRig(t)
	full := ">" + strings.Repeat("a", maxBehind)
	messages <- x.backlog.take(t.Context(), chunk(full))
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if m := x.backlog.take(gone, chunk(">b")); m.counted != 0 {
		t.Errorf("%d octets more were taken", m.counted)
	}
	next := func(got message) {
		messages <- got
		if more, err := x.next(); !more || err != nil {
			t.Fatal(more, err)
		}
	}
	waiting := make(chan message)
	go func() { waiting <- x.backlog.take(t.Context(), chunk("<"+strings.Repeat("c", 2*maxBehind))) }()
	next(message{ProcessingRequest: chunk("<")})
	next(<-waiting)
	next(x.backlog.take(t.Context(), chunk(full)))
	if !x.backlog.behind.TryAcquire(maxBehind) {
		t.Error("something is held, and all is recorded")
	}
}
