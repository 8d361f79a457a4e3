package e2e

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"runtime/pprof"
	"strings"
	"sync"
	"time"

	"verbatim/tests/mesh"
)

// stressFaults has to have happened before a load ends, however slow the machine is.
var stressFaults = []string{
	"the client hung up in its body", "the client hung up in the answer", "the client hung up in a chat",
	"the client hung up at any time", "an answer came before its request was whole", "broken off",
	"the pipeline saw a body break off", "the pipeline: " + faultReset, "the pipeline: " + faultHalf,
	"the pipeline: " + faultStall, "the pipeline: " + faultHalfStall, "the pipeline: " + faultHold, "the pipeline: " + faultEarly,
}

// run has clients send for as long as is said, and longer until each fault has
// happened, while it kills and starts again what they depend on.
func (s *stress) run(load time.Duration) {
	s.t.Helper()
	stop := s.startClients()
	random := rand.New(rand.NewPCG(s.seed, stressClients)) //nolint:gosec // not for secrets
	began := time.Now()
	for time.Since(began) < load || s.missing() != "" {
		if time.Since(began) > load+stressPatience {
			s.t.Fatalf("never happened: %s", s.missing())
		}
		s.await(1 + random.IntN(400))
		s.breakOff(s.sidecar.Kill, s.startSidecar)
		s.await(1 + random.IntN(400))
		s.breakOff(s.stopSidecar, s.startSidecar)
		s.await(1 + random.IntN(400))
		s.breakOff(func() { s.door.shut(); s.envoy.Kill() }, s.startEnvoy)
	}
	s.await(100)
	stop()
	s.t.Logf("%v of load: %v %v", time.Since(began).Round(time.Second), s.counts, s.pipeline.all())
}

// startClients has them send until stop is called, which may be called again.
func (s *stress) startClients() (stop func()) {
	over := make(chan struct{})
	var all sync.WaitGroup
	for n := range stressClients {
		all.Go(func() { s.newClient(n).run(over) })
	}
	stop = sync.OnceFunc(func() { close(over); all.Wait() })
	s.t.Cleanup(stop)
	return stop
}

// missing is what has not happened yet; empty: nothing.
func (s *stress) missing() string {
	for _, what := range stressFaults {
		s.mu.Lock()
		n := s.counts[what]
		s.mu.Unlock()
		if n+s.pipeline.count(what) == 0 {
			return what
		}
	}
	return ""
}

// await waits until so many more answers were seen.
func (s *stress) await(answers int) {
	s.t.Helper()
	until := s.seen() + answers
	poll(s.t, fmt.Sprintf("%d answers", answers), func() (bool, error) {
		for _, p := range []*mesh.Process{s.sidecar.Process, s.envoy.Process} {
			select {
			case <-p.Done():
				return false, fmt.Errorf("a process ended by itself: %w: %s", p.Wait(), p.LogPath)
			default:
			}
		}
		return s.seen() >= until, nil
	})
}

// breakOff ends a part of the site and starts it again, while answers without end
// are open and nothing is under way that must not break off.
func (s *stress) breakOff(end, begin func()) {
	s.t.Helper()
	s.wantStreams.Store(true)
	poll(s.t, "answers without end", func() (bool, error) { return s.pipeline.openStreams() >= stressStreams, nil })
	s.quiet.Lock()
	defer s.quiet.Unlock()
	s.noteMemory()
	s.wantStreams.Store(false)
	end()
	poll(s.t, "those answers to end", func() (bool, error) { return s.pipeline.openStreams() == 0, nil })
	begin()
}

// hangs reports a request that has not ended, and all that may tell why.
func (s *stress) hangs(id string, a ask, err error) {
	s.mu.Lock()
	pages := s.pages
	s.mu.Unlock()
	var all strings.Builder
	for _, url := range pages {
		all.WriteString(url + "\n" + s.tryPage(url) + "\n")
	}
	_ = pprof.Lookup("goroutine").WriteTo(&all, 1) // into memory
	s.t.Errorf("request %s hangs: %s %s %v: %v\n%s", id, a.method, a.path, a.headers, err, all.String())
}

// tryPage gets a page, or what is wrong with it. Any goroutine may call it.
func (s *stress) tryPage(url string) string {
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, url, nil)
	if err != nil {
		return err.Error()
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
	resp, err := client.Do(r)
	if err != nil {
		return err.Error()
	}
	defer func() { _ = resp.Body.Close() }() // it is for reading
	text, err := io.ReadAll(resp.Body)
	return fmt.Sprint(string(text), err)
}
