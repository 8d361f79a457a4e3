package e2e

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"verbatim/filter"
	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
	"verbatim/tests/mesh"
)

// rude is a pipeline that does what a path says. It tells each request's arrival.
type rude struct {
	address string
	arrived chan string
	wait    sync.WaitGroup
}

func startRude(t *testing.T) *rude {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &rude{address: listener.Addr().String(), arrived: make(chan string, 16)}
	p.wait.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return // it is closed
			}
			p.wait.Go(func() { p.serve(conn) })
		}
	})
	t.Cleanup(func() {
		if err := listener.Close(); err != nil {
			t.Error(err)
		}
		p.wait.Wait() // Envoy is gone by now
	})
	return p
}

func (p *rude) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	in := bufio.NewReader(conn)
	for {
		r, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		const half = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf of it"
		answer := "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
		switch r.URL.Path {
		case "/half", "/half-and-reset":
			answer = half
		case "/silent", "/reset":
			answer = ""
		case "/unavailable":
			answer = "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n"
		}
		_, _ = io.WriteString(conn, answer) // Envoy may be gone
		p.arrived <- r.URL.Path
		switch r.URL.Path {
		case "/half", "/silent":
			_, _ = io.Copy(io.Discard, in) // until Envoy hangs up
			return
		case "/reset", "/half-and-reset":
			return
		}
	}
}

// TestHowExchangesEnd ends exchanges in every way, one after the other, so that
// Envoy's counters tell each. Where Envoy answers itself before the pipeline's
// answer has begun, that is recorded.
func TestHowExchangesEnd(t *testing.T) {
	const (
		gone    = logv1.AbortCause_ABORT_CAUSE_CLIENT_GONE
		reset   = logv1.AbortCause_ABORT_CAUSE_PIPELINE_RESET
		timeout = logv1.AbortCause_ABORT_CAUSE_TIMEOUT
	)
	steps := []struct {
		path   string
		status int // that the client gets; 0: it hangs up
		local  string
		cause  logv1.AbortCause // unless local is set
	}{
		{"/silent", 0, "", gone},
		{"/half", 0, "", gone},
		{"/silent", 504, "response_timeout", 0},
		{"/half", 504, "", timeout},
		{"/reset", 503, "upstream_reset_before_response_started", 0},
		{"/half-and-reset", 502, "", reset},
	}
	p := startRude(t)
	s := prepareSite(t, siteOptions{upstream: p.address})
	// Envoy comes first, so that the sidecar knows where to ask.
	s.envoy = mesh.StartTestEnvoy(t, mesh.EnvoyOptions{Dir: t.TempDir(), Bootstrap: filter.Bootstrap{
		Pipeline: p.address, RouteTimeout: time.Second, Capture: &filter.Capture{Sidecar: s.socket()},
	}})
	s.options.serve = []string{"--envoy.admin", s.envoy.AdminURL}
	s.startSidecar()
	for _, c := range steps {
		s.awaitLook()
		conn := openWire(t, s.envoy.Addr, []byte("GET "+c.path+" HTTP/1.1\r\nhost: a\r\n\r\n"))
		if got := <-p.arrived; got != c.path {
			t.Fatalf("%s arrived", got)
		}
		if c.status == 0 {
			if err := conn.Close(); err != nil {
				t.Fatal(err)
			}
		} else if status, body := answerOf(t, conn, "GET"); status != c.status {
			t.Errorf("%s: status %d %q, want %d", c.path, status, body, c.status)
		}
		poll(t, "the exchange to end", func() (bool, error) {
			_, page := getPage(t, "http://"+s.sidecar.Admin+"/metrics")
			return strings.Contains(page, "verbatim_turn_running 0\n"), nil
		})
	}
	s.stop()
	list := recordedExchanges(t, s.log)
	if len(list) != len(steps) {
		t.Fatalf("%d exchanges are recorded of %d", len(list), len(steps))
	}
	for i, x := range list {
		if c := steps[i]; c.local == "" && x.abort.GetCause() != c.cause {
			t.Errorf("%s, status %d: abort %v, want cause %s", c.path, c.status, x.abort, c.cause)
		} else if c.local != "" && !strings.HasPrefix(localDetails(t, s.log, x.request.Offset), c.local) {
			t.Errorf("%s, status %d: answered by %q, want %q", c.path, c.status, localDetails(t, s.log, x.request.Offset), c.local)
		}
	}
}

// awaitLook waits until the sidecar has asked Envoy for its counters once more.
func (s *site) awaitLook() {
	s.t.Helper()
	asked := func() uint64 {
		n, err := s.envoy.Counter(s.t.Context(), "http.admin.downstream_rq_total")
		if err != nil {
			s.t.Fatal(err)
		}
		return n
	}
	// It asks three pages at a time, the counters of ends last. So one of the next
	// five was asked for as a whole; our own questions count too.
	before, ours := asked(), uint64(0)
	poll(s.t, "the sidecar to look at Envoy", func() (bool, error) {
		ours++
		return asked()-before-ours > 5, nil
	})
}

// localDetails is by what Envoy answered a request itself; empty if it did not.
func localDetails(t *testing.T, log string, request uint64) (details string) {
	t.Helper()
	eachEvent(t, log, request, func(_ auditlog.Entry, ev *logv1.Event) bool {
		r := ev.GetResponse()
		if r.GetRequestOffset() == request {
			details = r.GetLocalReply().GetCodeDetails()
		}
		return r.GetRequestOffset() != request
	})
	return details
}
