package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"verbatim/filter"
	"verbatim/tests/mesh"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(mesh.Main(m)) }

// site is one Envoy, sidecar and pipeline.
type site struct {
	t        *testing.T
	dir      string
	verbatim string
	log      string
	pipeline *mesh.Pipeline
	sidecar  *mesh.Sidecar
	envoy    *mesh.Envoy
	options  siteOptions
}

type siteOptions struct {
	misbehave string
	protocol  filter.Protocol
	serve     []string // more arguments for serve
	upstream  string   // instead of the example pipeline
	capture   filter.Capture
	// create makes the log; nil: verbatim init does.
	create func(dir string) error
}

// newSite starts everything on a new log.
func newSite(t *testing.T, o siteOptions) *site {
	t.Helper()
	s := prepareSite(t, o)
	s.startSidecar()
	s.startEnvoy()
	return s
}

// prepareSite makes the log and starts the pipeline alone.
func prepareSite(t *testing.T, o siteOptions) *site {
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
	s := &site{t: t, dir: dir, verbatim: mesh.Binary(t, "./cmd/verbatim"), log: filepath.Join(dir, "log"), options: o}
	if o.create == nil {
		o.create = func(dir string) error { return mesh.InitLog(t.Context(), s.verbatim, dir) }
	}
	if err := o.create(s.log); err != nil {
		t.Fatal(err)
	}
	if o.upstream == "" {
		s.pipeline = s.freshPipeline("pipeline", o.misbehave)
		s.options.upstream = s.pipeline.Addr
	}
	return s
}

func (s *site) freshPipeline(name, misbehave string) *mesh.Pipeline {
	s.t.Helper()
	return mesh.StartTestPipeline(s.t, mesh.PipelineOptions{Name: name, Misbehave: misbehave, Protocol: s.options.protocol})
}

func (s *site) socket() string { return filepath.Join(s.dir, "s.sock") }

func (s *site) startSidecar() {
	s.t.Helper()
	args := append([]string{"--pipeline.protocol", s.options.protocol.String()}, s.options.serve...)
	s.sidecar = mesh.StartTestSidecar(s.t, mesh.SidecarOptions{
		Log: s.log, Socket: s.socket(), Pipeline: s.options.upstream, Args: args,
	})
}

func (s *site) startEnvoy() {
	s.t.Helper()
	capture := s.options.capture
	capture.Sidecar = s.socket()
	s.envoy = mesh.StartTestEnvoy(s.t, mesh.EnvoyOptions{
		Dir: s.t.TempDir(),
		Bootstrap: filter.Bootstrap{
			Pipeline: s.options.upstream, PipelineProtocol: s.options.protocol, Capture: &capture,
		},
	})
}

// stop ends Envoy and then the sidecar, cleanly.
func (s *site) stop() {
	s.t.Helper()
	if err := s.envoy.Stop(); err != nil {
		s.t.Fatal(err)
	}
	s.stopSidecar()
}

func (s *site) stopSidecar() {
	s.t.Helper()
	if err := s.sidecar.Stop(); err != nil {
		out, _ := os.ReadFile(s.sidecar.LogPath)
		s.t.Fatalf("stop sidecar: %v\n%s", err, out)
	}
}

// load sends events and fails the test unless all are answered.
func (s *site) load(o mesh.LoadOptions) mesh.LoadResult {
	s.t.Helper()
	o.Addr = s.envoy.Addr
	r, err := mesh.Load(s.t.Context(), o)
	if err != nil || len(r.Failed) > 0 {
		out, _ := os.ReadFile(s.sidecar.LogPath)
		s.t.Fatalf("load: %v, failed %v, first error %v\n%s", err, r.Failed, r.FirstError, out)
	}
	return r
}

// run runs verbatim and fails the test unless it exits with the code.
func (s *site) run(code int, args ...string) string {
	s.t.Helper()
	out, got, err := mesh.Run(s.t.Context(), s.verbatim, args...)
	if err != nil || got != code {
		s.t.Fatalf("verbatim %v: exit %d, %v; want exit %d\n%s", args, got, err, code, out)
	}
	return out
}

// runJSON decodes what a run printed.
func (s *site) runJSON(code int, into any, args ...string) {
	s.t.Helper()
	out := s.run(code, append(args, "--json")...)
	if err := json.Unmarshal([]byte(out), into); err != nil {
		s.t.Fatalf("verbatim %v printed no JSON: %v\n%s", args, err, out)
	}
}

// verdict is what replay prints with --json.
type verdict struct {
	Result           string `json:"result"`
	Reason           string `json:"reason"`
	Requests         uint64 `json:"requests"`
	Compared         uint64 `json:"compared"`
	Differences      uint64 `json:"differences"`
	WithoutResponse  uint64 `json:"without_response"`
	LocalReplies     uint64 `json:"local_replies"`
	OverlappingPairs uint64 `json:"overlapping_pairs"`
	FootersChecked   uint64 `json:"footers_checked"`
	FootersEqual     uint64 `json:"footers_equal"`
	OriginalRoot     string `json:"original_root"`
	ReplayRoot       string `json:"replay_root"`
	Divergence       *struct {
		Kind           string   `json:"kind"`
		FirstBadOffset uint64   `json:"first_bad_offset"`
		RequestOffset  uint64   `json:"request_offset"`
		Diff           []string `json:"diff"`
		Overlapping    []uint64 `json:"overlapping"`
		Fields         []string `json:"fields"`
	} `json:"divergence"`
}

// report is what verify prints with --json.
type report struct {
	OK          bool   `json:"ok"`
	Entries     uint64 `json:"entries"`
	Tip         uint64 `json:"tip"`
	ChainRoot   string `json:"chain_root"`
	Checkpoints uint64 `json:"checkpoints"`
	Requests    uint64 `json:"requests"`
	Responses   uint64 `json:"responses"`
	Aborts      uint64 `json:"aborts"`
	Gaps        uint64 `json:"gaps"`
	Open        uint64 `json:"open_requests"`
	Findings    []struct {
		Offset uint64 `json:"offset"`
		Code   string `json:"code"`
	} `json:"findings"`
}

// replayInto replays the log into a fresh pipeline.
func (s *site) replayInto(code int, log, misbehave string, args ...string) verdict {
	s.t.Helper()
	scheme := "http://"
	if s.options.protocol == filter.H2 {
		scheme = "h2c://"
	}
	var v verdict
	target := s.freshPipeline("replayed", misbehave)
	s.runJSON(code, &v, append([]string{"replay", "--log", log, "--target", scheme + target.Addr}, args...)...)
	return v
}

func (s *site) verify(code int, log string, args ...string) report {
	s.t.Helper()
	var r report
	s.runJSON(code, &r, append([]string{"verify", "--log", log}, args...)...)
	return r
}
