package frozen

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"verbatim/filter"
	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/output"
	"verbatim/tests/mesh"
)

const (
	events      = 12
	connections = 4
	patience    = time.Minute
)

// site is a service, recorded behind Envoy and replayed.
type site struct {
	t        *testing.T
	dir      string
	log      string
	verbatim string
	service  service
}

func newSite(t *testing.T, service service) *site {
	t.Helper()
	dir, err := os.MkdirTemp("", "vb") //nolint:usetesting // t.TempDir's names are too long for a socket's path
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	s := &site{t: t, dir: dir, log: filepath.Join(dir, "log"), verbatim: mesh.Binary(t, "./cmd/verbatim"), service: service}
	if err := mesh.InitLog(t.Context(), s.verbatim, s.log); err != nil {
		t.Fatal(err)
	}
	return s
}

// start starts a fresh instance of the service, under the clock if one is named, and
// returns its address.
func (s *site) start(name, clock string) (*mesh.Process, string) {
	s.t.Helper()
	command := s.service.command
	if clock != "" {
		command = append([]string{s.verbatim, "run", "--frozen-clock", "--clock", clock, "--"}, command...)
	}
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	p, err := mesh.StartProcess(ctx, mesh.ProcessOptions{
		Name: name, Path: command[0], Args: command[1:], Dir: s.dir, Ready: s.service.ready,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(p.Kill)
	if _, _, err := net.SplitHostPort(p.Match[1]); err != nil {
		s.t.Fatal(err)
	}
	return p, p.Match[1]
}

func (s *site) record() {
	s.t.Helper()
	clock := filepath.Join(s.dir, "recorded.clock")
	pipeline, address := s.start("recorded", clock)
	sidecar := mesh.StartTestSidecar(s.t, mesh.SidecarOptions{
		Log: s.log, Socket: filepath.Join(s.dir, "s.sock"), Pipeline: address,
		Args: []string{"--ordering", "global", "--frozen-clock", clock},
	})
	envoy := mesh.StartTestEnvoy(s.t, mesh.EnvoyOptions{Bootstrap: filter.Bootstrap{
		Pipeline: address, Capture: &filter.Capture{Sidecar: filepath.Join(s.dir, "s.sock")},
	}})
	r, err := mesh.Load(s.t.Context(), mesh.LoadOptions{Addr: envoy.Addr, Connections: connections, Events: events, Meters: 3})
	if err != nil || r.Done != events {
		said, _ := os.ReadFile(pipeline.LogPath)
		s.t.Fatalf("load: %v, failed %v, first error %v\n%s", err, r.Failed, r.FirstError, said)
	}
	for _, p := range []*mesh.Process{envoy.Process, sidecar.Process} {
		if err := p.Stop(); err != nil {
			s.t.Fatal(err)
		}
	}
	// SIGTERM comes to the service itself; what it then exits with is its own.
	if err := pipeline.Stop(); errors.Is(err, mesh.ErrKilled) {
		s.t.Error(err)
	}
}

// wantRecordedTimes: while it was recorded, the service saw each event's time.
func (s *site) wantRecordedTimes() {
	s.t.Helper()
	v, err := auditlog.OpenReadOnly(s.log)
	if err != nil {
		s.t.Fatal(err)
	}
	defer v.Close()
	told, answers := map[uint64]uint64{}, 0
	for e, err := range v.Entries(s.t.Context(), 0, v.Tip().Offset) {
		if err != nil {
			s.t.Fatal(err)
		}
		ev, err := e.Event()
		if err != nil {
			s.t.Fatal(err)
		}
		if start := ev.GetStart(); start != nil && start.GetPipelineClock() != logv1.PipelineClock_PIPELINE_CLOCK_FROZEN {
			s.t.Errorf("start %v, under the frozen clock", start)
		}
		if ev.GetRequest() != nil {
			told[e.Offset] = ev.GetWallClockMs()
		}
		if r := ev.GetResponse(); r != nil {
			answers++
			if got, want := receivedMS(s.t, r), told[r.GetRequestOffset()]; got != want {
				s.t.Errorf("request %d came at %d ms, and the service saw %d", r.GetRequestOffset(), want, got)
			}
		}
	}
	if answers != events {
		s.t.Errorf("%d answers of %d events", answers, events)
	}
}

func receivedMS(t *testing.T, r *logv1.Response) uint64 {
	t.Helper()
	out, err := output.Decode(r.GetOutput())
	if err != nil {
		t.Fatal(err)
	}
	var answer struct {
		ReceivedMS uint64 `json:"received_ms"`
	}
	if err := json.Unmarshal(out.GetBody(), &answer); err != nil {
		t.Fatalf("%v: %s", err, out.GetBody())
	}
	return answer.ReceivedMS
}

// verdict is what replay prints with --json.
type verdict struct {
	Result   string `json:"result"`
	Compared int    `json:"compared"`
	// Moving are the fields in which two replays differ.
	Moving   []string `json:"moving"`
	Warnings []string `json:"warnings"`
}

// replay replays into a target and wants the exit code.
func (s *site) replay(code int, address string, args ...string) (v verdict) {
	s.t.Helper()
	args = append([]string{"replay", "--log", s.log, "--target", "http://" + address, "--json"}, args...)
	out, got, err := mesh.Run(s.t.Context(), s.verbatim, args...)
	if err != nil || got != code {
		s.t.Fatalf("%v: exit %d, %v; want %d\n%s", args, got, err, code, out)
	}
	if err := json.Unmarshal([]byte(out), &v); err != nil {
		s.t.Fatalf("%v: %s", err, out)
	}
	return v
}

func (s *site) wantVerified() {
	s.t.Helper()
	clock := filepath.Join(s.dir, "replayed.clock")
	_, address := s.start("replayed", clock)
	if v := s.replay(0, address, "--clock", clock); v.Result != "VERIFIED" || v.Compared != events || len(v.Warnings) > 0 {
		s.t.Errorf("under the frozen clock: %+v", v)
	}
}

// wantNondeterministic: without the frozen clock the times differ each time, and the
// verdict names them.
func (s *site) wantNondeterministic() {
	s.t.Helper()
	_, first := s.start("unfrozen", "")
	_, second := s.start("unfrozen again", "")
	v := s.replay(1, first, "--target", "http://"+second, "--twice")
	if v.Result != "NONDETERMINISTIC" || !slices.Contains(v.Moving, "body /received_ms") ||
		len(v.Warnings) != 1 || !strings.Contains(v.Warnings[0], "under a frozen clock, replayed without one") {
		s.t.Errorf("under the system's clock: %+v", v)
	}
}
