package admin

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	auditv1 "verbatim/proto/verbatim/audit/v1"
	"verbatim/replay"
	"verbatim/replay/target"
	"verbatim/sidecar/query"
)

// ReplayAuditLog replays into a target of the configuration.
func (s *service) ReplayAuditLog(r *auditv1.AuditReplayRequest, stream grpc.ServerStreamingServer[auditv1.ReplayEvent]) error {
	t, err := s.target(r.GetTarget())
	if err != nil {
		return err
	}
	leave, err := s.busy.enter(t.URL)
	if err != nil {
		return err
	}
	defer leave()
	log := s.Logger.With("target", r.GetTarget())
	log.Info("replay begins")
	response, err := s.replay(stream.Context(), r, t, func(x *auditv1.ReplayedExchange) error {
		return stream.Send(&auditv1.ReplayEvent{Kind: &auditv1.ReplayEvent_Exchange{Exchange: x}})
	})
	if err != nil {
		log.Warn("replay ended without a verdict", "err", err)
		return statusOf(err)
	}
	log.Info("replay ended", "result", response.GetResult(), "reason", response.GetReason())
	return stream.Send(&auditv1.ReplayEvent{Kind: &auditv1.ReplayEvent_Response{Response: response}})
}

// target finds a target by its name.
func (s *service) target(name string) (Target, error) {
	if t, ok := s.Targets[name]; ok {
		return t, nil
	}
	known := "the configuration names none under replay.targets"
	if len(s.Targets) > 0 {
		known = "the configuration's replay.targets are " + strings.Join(slices.Sorted(maps.Keys(s.Targets)), ", ")
	}
	hint := ""
	if strings.Contains(name, "://") {
		hint = "; a URL is for the command line: verbatim replay --target " + name
	}
	return Target{}, status.Errorf(codes.InvalidArgument, "%q is not the name of a target: %s%s", name, known, hint)
}

// replay is one replay, over a view of its own.
func (s *service) replay(ctx context.Context, r *auditv1.AuditReplayRequest, t Target, emit func(*auditv1.ReplayedExchange) error) (*auditv1.AuditReplayResponse, error) {
	selection := query.Selection{
		Start: r.StartOffset, End: r.EndOffset, Meters: r.GetMeterIdFilter(), FromMS: r.FromMs, ToMS: r.ToMs,
	}
	if err := replay.RefuseCaptured(ctx, t.URL, s.Captured()); err != nil {
		return nil, err
	}
	v, err := s.Log.View()
	if err != nil {
		return nil, err
	}
	defer v.Close()
	return replay.Run(ctx, v, replay.Options{
		Selection: selection, TargetImage: t.Image, All: r.GetAll(), Emit: emit,
		Target: func(protocol string) (*target.Target, error) {
			return target.New(t.URL, target.Options{Protocol: target.Protocol(protocol)})
		},
	})
}

// busy are the addresses into which a replay is under way: two at once would
// mix their requests in one pipeline, and neither verdict would be worth
// anything.
type busy struct {
	mu   sync.Mutex
	urls map[string]bool
}

func (b *busy) enter(url string) (leave func(), err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.urls[url] {
		return nil, status.Error(codes.Aborted, fmt.Sprintf("a replay into %s is under way; try again when it has ended", url))
	}
	if b.urls == nil {
		b.urls = map[string]bool{}
	}
	b.urls[url] = true
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.urls, url)
	}, nil
}
