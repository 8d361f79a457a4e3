package e2e

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/net/netutil"

	"verbatim/tests/mesh"
)

// TestManyConnectionsWithMeterOrdering: state per meter, one event a meter at a
// time, so the concurrent recording is the same as the sequential replay.
func TestManyConnectionsWithMeterOrdering(t *testing.T) {
	const events = 4000
	s, _ := record(t, siteOptions{}, mesh.LoadOptions{Connections: 64, Events: events, Meters: 200})
	v := s.replayInto(0, s.log, "")
	if v.Result != "VERIFIED" || v.Compared != events || v.OverlappingPairs == 0 {
		t.Errorf("verdict %+v", v)
	}
}

// totals is a pipeline with a total over all meters in its answers. It serves
// at most so many connections at a time; a further one waits.
func totals(t *testing.T, connections int) string {
	t.Helper()
	var mu sync.Mutex
	total := 0
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		mu.Lock()
		total += len(body)
		n := total
		mu.Unlock()
		if err != nil {
			t.Error(err)
		}
		_, _ = fmt.Fprintf(w, `{"total":%d}`, n) // a client that is gone is seen elsewhere
	}))
	server.Listener = netutil.LimitListener(server.Listener, connections)
	server.Start()
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

// opposite is a batch of two meters, every second one in the opposite order.
func opposite(i int) []byte {
	a, b := i%7, (i+1)%7
	if i%2 == 1 {
		a, b = b, a
	}
	return fmt.Appendf(nil, `{"readings":[{"meter_id":%q,"kwh":%d},{"meter_id":%q,"kwh":1}]}`, mesh.MeterID(a), i, mesh.MeterID(b))
}

// TestBatchesInOppositeOrderDoNotDeadlock: no two batches wait for each other,
// and a request that waits for its turn holds no connection to the pipeline: a
// server of one connection would hang.
func TestBatchesInOppositeOrderDoNotDeadlock(t *testing.T) {
	t.Run("meter", func(t *testing.T) {
		record(t, siteOptions{upstream: totals(t, 64)},
			mesh.LoadOptions{Connections: 16, Events: 800, Meters: 7, Body: opposite})
	})
	t.Run("global", func(t *testing.T) {
		s, _ := record(t, siteOptions{upstream: totals(t, 1), serve: []string{"--ordering", "global"}},
			mesh.LoadOptions{Connections: 16, Events: 800, Meters: 7, Body: opposite})
		var v verdict
		s.runJSON(0, &v, "replay", "--log", s.log, "--target", "http://"+totals(t, 1))
		if v.Result != "VERIFIED" || v.OverlappingPairs != 0 {
			t.Errorf("verdict %+v", v)
		}
	})
}

// counter numbers its requests over all meters, from 1. With inPairs, it lets a
// second one in and numbers that first; inside tells that the first one is in.
func counter(t *testing.T, inPairs bool) (address string, inside <-chan struct{}) {
	t.Helper()
	var n atomic.Int64
	entered, second := make(chan struct{}), make(chan struct{})
	var arrivals atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			t.Error(err)
		}
		if inPairs && arrivals.Add(1) == 1 {
			close(entered)
			select {
			case <-second:
			case <-r.Context().Done():
			}
		}
		_, _ = fmt.Fprintf(w, `{"line":%d}`, n.Add(1))
		if inPairs && arrivals.Load() == 2 {
			select {
			case <-second:
			default:
				close(second)
			}
		}
	}))
	t.Cleanup(server.Close)
	return server.Listener.Addr().String(), entered
}

// TestOrderingNoneNamesWhatOverlapped: a pipeline with global state, recorded
// without ordering, can't be verified; the difference names who was in it too.
func TestOrderingNoneNamesWhatOverlapped(t *testing.T) {
	upstream, inside := counter(t, true)
	s := newSite(t, siteOptions{upstream: upstream, serve: []string{"--ordering", "none"}})
	var wg sync.WaitGroup
	wg.Go(func() {
		r, err := mesh.Load(t.Context(), mesh.LoadOptions{Addr: s.envoy.Addr, Connections: 1, Events: 1, Meters: 1})
		if err != nil || r.Done != 1 {
			t.Errorf("the first request: %+v, %v", r, err)
		}
	})
	select {
	case <-inside:
	case <-t.Context().Done():
		t.Fatal("the first request never reached the pipeline")
	}
	s.load(mesh.LoadOptions{Connections: 1, Events: 1, Meters: 1})
	wg.Wait()
	s.stop()
	sequential, _ := counter(t, false)
	var v verdict
	s.runJSON(1, &v, "replay", "--log", s.log, "--target", "http://"+sequential, "--all")
	if v.OverlappingPairs != 1 || v.Differences != 2 || v.Divergence == nil {
		t.Fatalf("verdict %+v", v)
	}
	d := v.Divergence
	if d.RequestOffset != 2 || !slices.Equal(d.Overlapping, []uint64{3}) || !slices.Contains(d.Diff, "- body /line: 2") {
		t.Errorf("divergence %+v", d)
	}
}
