package e2e

import (
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
)

// forwarder passes connections on: an address that tells nobody where it leads.
type forwarder struct {
	listener net.Listener

	mu     sync.Mutex
	to     string
	conns  []net.Conn
	closed bool
	ended  sync.WaitGroup
}

// newForwarder listens; start lets connections in.
func newForwarder(t *testing.T) *forwarder {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &forwarder{listener: l}
	t.Cleanup(func() {
		f.listener.Close()
		f.mu.Lock()
		f.closed = true
		for _, c := range f.conns {
			c.Close()
		}
		f.mu.Unlock()
		f.ended.Wait()
	})
	return f
}

func (f *forwarder) url() string { return "http://" + f.listener.Addr().String() }

// lead has connections that come from now on lead elsewhere.
func (f *forwarder) lead(to string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.to = to
}

// start forwards until the test ends.
func (f *forwarder) start(t *testing.T, to string) {
	f.lead(to)
	f.ended.Go(func() {
		for {
			c, err := f.listener.Accept()
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err != nil {
				t.Error(err)
				return
			}
			f.pass(t, c)
		}
	})
}

func (f *forwarder) pass(t *testing.T, in net.Conn) {
	f.mu.Lock()
	to := f.to
	f.mu.Unlock()
	out, err := new(net.Dialer).DialContext(t.Context(), "tcp", to)
	if err != nil {
		in.Close()
		return // the test has ended, or nobody is there
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		in.Close()
		out.Close()
		return
	}
	f.conns = append(f.conns, in, out)
	for _, pair := range [][2]net.Conn{{in, out}, {out, in}} {
		f.ended.Go(func() {
			_, _ = io.Copy(pair[0], pair[1]) // either side may end it
			pair[0].Close()
		})
	}
}

// TestReplayIntoTheCapture: what is captured is refused as a target, by its
// address, and where no address tells, by the recorded clock and seed that a
// replayed request brings: with a reason, unless Envoy answers; and not in profile
// observe, which can refuse nothing.
func TestReplayIntoTheCapture(t *testing.T) { inPlaces(t, behindRouter, replayIntoTheCapture) }

func replayIntoTheCapture(t *testing.T, p wirePlace) {
	f := newForwarder(t)
	s := newSite(t, p.options(siteOptions{serve: []string{"--replay.targets", "loop=" + f.url()}}, "meter"))
	f.start(t, s.envoy.Addr)
	s.ask(questions)
	before := s.verify(0, s.log)
	port := s.envoy.Addr[strings.LastIndex(s.envoy.Addr, ":"):]
	for _, target := range []string{"http://" + s.envoy.Addr, "h2c://localhost" + port, "http://" + s.pipeline.Addr} {
		out := s.run(2, "replay", "--log", s.log, "--target", target)
		if !strings.Contains(out, "verbatim: target is being captured: "+target) || strings.Count(out, "\n") != 1 {
			t.Errorf("replay into %s: %s", target, out)
		}
	}
	if !p.refuses {
		return
	}
	exit := 1
	if p.speaks {
		exit = 2
	}
	var v verdict
	s.runJSON(exit, &v, "replay", "--log", s.log, "--target", f.url())
	if p.speaks && (v.Result != "CANNOT_TELL" || v.Compared != 0 || v.Divergence != nil || !strings.Contains(v.Reason, "lead back to where its traffic is recorded")) {
		t.Errorf("replay through a forwarder: %+v", v)
	}
	after := s.verify(0, s.log)
	if after.Entries != before.Entries || after.ChainRoot != before.ChainRoot {
		t.Errorf("before the replays %+v, after them %+v", before, after)
	}
}
