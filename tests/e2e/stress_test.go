package e2e

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"verbatim/filter"
)

const (
	stressClients = 16
	stressMeters  = 6
	// stressStreams is how many answers are without end when something is killed.
	stressStreams = 4
	// stressRoom is small enough that large bodies are refused now and then.
	stressRoom = 16 << 20
)

// TestFaultsUnderLoad has clients that hang up and a pipeline that resets, stalls and
// answers early, all of it together, while the sidecar and Envoy are killed and
// started again. What a client saw answered is in the log, nothing hangs or stays
// held, memory has its bound, and a replay gives the same answers.
func TestFaultsUnderLoad(t *testing.T) {
	load := 10 * time.Second // twice
	if *fire {
		load = 5 * time.Minute
	}
	for _, c := range []struct {
		ordering string
		protocol filter.Protocol
	}{{"meter", filter.H2}, {"global", filter.H1}} {
		t.Run(fmt.Sprintf("ordering %s, pipeline %s", c.ordering, c.protocol), func(t *testing.T) {
			s := newStress(t, c.ordering, c.protocol)
			s.run(load)
			s.checkReleased()
			s.checkMemory()
			s.stop()
			s.checkLog()
		})
	}
}

// stress is a site under mixed traffic. The test's goroutine breaks its parts off,
// while the clients' send.
type stress struct {
	*site
	pipeline *stressPipeline
	seed     uint64
	door     *door
	// quiet is held for reading by requests that must not break off, and for writing
	// while something is killed.
	quiet       sync.RWMutex
	wantStreams atomic.Bool   // clients are to open answers without end
	pace        *rate.Limiter // of requests that are refused
	octets      *rate.Limiter // of large bodies

	peaks map[string]uint64

	mu sync.Mutex

	answers map[string]sawAnswer // that clients saw, by id
	counts  map[string]int       // of what happened to clients
	pages   []string             // what to look at when something hangs
}

func newStress(t *testing.T, ordering string, protocol filter.Protocol) *stress {
	t.Helper()
	p := startStressPipeline(t, protocol, stressPatience)
	s := &stress{
		site: prepareSite(t, siteOptions{upstream: p.address, protocol: protocol, serve: []string{
			"--ordering", ordering, "--capture.stream", `request.path.startsWith("/up")`, "--stream.max-turn", "200ms",
			"--shutdown.grace", "2s", "--max-bytes-in-flight", fmt.Sprint(stressRoom),
		}}),
		pipeline: p, seed: drawnFrom(t), door: newDoor(t.Context()),
		pace: rate.NewLimiter(100, 1), octets: rate.NewLimiter(4*maxLarge, maxLarge),
		peaks: map[string]uint64{}, answers: map[string]sawAnswer{}, counts: map[string]int{},
	}
	s.startSidecar()
	s.startEnvoy()
	return s
}

func (s *stress) startSidecar() {
	s.t.Helper()
	s.site.startSidecar()

	s.see()
}

// see notes where to look when something hangs.
func (s *stress) see() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pages = []string{"http://" + s.sidecar.Admin + "/metrics"}
	if s.envoy != nil {
		s.pages = append(s.pages, s.envoy.AdminURL+"/stats?filter=active|pending", s.envoy.AdminURL+"/clusters")
	}
}

// happened counts something.
func (s *stress) happened(what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts[what]++
}

// saw notes an answer of the pipeline that a client has whole.
func (s *stress) saw(id string, a sawAnswer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answers[id] = a
}

func (s *stress) seen() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.answers)
}
