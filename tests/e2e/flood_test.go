package e2e

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"verbatim/filter"
	"verbatim/sidecar/output"
)

// flood is many connections that each send one large request, in pieces: all send
// one piece before any sends the next. So all are in flight at one time.
type flood struct {
	connections int
	body        int // octets of one request
	pieces      int
	chunked     bool
	refused     int // so many by their heads, at least
}

// floodRate is how much all connections send together in a second, in octets. What
// a network brings before anybody can refuse it is beyond every bound.
const floodRate = 256 << 20

// floodPatience bounds the whole of a flood.
const floodPatience = 10 * time.Minute

// floodSenders is how many connections send at the same moment.
const floodSenders = 8

// flooder is one connection. Its answer is the status and the reason of a refusal;
// it is empty where the connection ended without one.
type flooder struct {
	conn   net.Conn
	ended  chan struct{} // closed when answer has its value
	answer string
}

// run returns how many connections were answered with each status, and why.
func (f flood) run(s *site) map[string]int {
	s.t.Helper()
	list := make([]*flooder, f.connections)
	for i := range list {
		list[i] = f.open(s.t, s.envoy.Addr)
	}
	poll(s.t, "the heads to be answered", func() (bool, error) {
		n, err := s.envoy.Counter(s.t.Context(), filter.CounterPrefix+"immediate_responses_sent")
		return n >= uint64(f.refused), err //nolint:gosec // a small number
	})
	piece := make([]byte, f.body/f.pieces)
	pace := rate.NewLimiter(floodRate, len(piece))
	for range f.pieces {
		f.each(list, func(c *flooder) {
			if pace.WaitN(s.t.Context(), len(piece)) == nil {
				c.write(f.chunked, piece)
			}
		})
	}
	f.each(list, func(c *flooder) {
		if f.chunked {
			c.write(true, nil)
		}
	})
	answers := map[string]int{}
	for _, c := range list {
		<-c.ended
		_ = c.conn.Close() // what became of it is known
		answers[c.answer]++
	}
	return answers
}

// open sends the head, and waits for the answer in the background.
func (f flood) open(t *testing.T, addr string) *flooder {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.SetDeadline(time.Now().Add(floodPatience)); err != nil {
		t.Fatal(err)
	}
	length := fmt.Sprintf("content-length: %d", f.body/f.pieces*f.pieces)
	if f.chunked {
		length = "transfer-encoding: chunked"
	}
	c := &flooder{conn: conn, ended: make(chan struct{})}
	if _, err := fmt.Fprintf(conn, "POST /flood HTTP/1.1\r\nhost: a\r\n%s\r\n\r\n", length); err != nil {
		t.Fatal(err)
	}
	go func() { // ends with the connection or its deadline
		defer close(c.ended)
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, resp.Body) // the status is what is wanted
		_ = resp.Body.Close()
		c.answer = strings.TrimSpace(fmt.Sprint(resp.StatusCode, " ", resp.Header.Get(output.RefusedHeader)))
	}()
	return c
}

// each calls do for every connection that waits for its answer.
func (f flood) each(list []*flooder, do func(*flooder)) {
	next := make(chan *flooder)
	var wg sync.WaitGroup
	for range floodSenders {
		wg.Go(func() {
			for c := range next {
				select {
				case <-c.ended:
				default:
					do(c)
				}
			}
		})
	}
	for _, c := range list {
		next <- c
	}
	close(next)
	wg.Wait()
}

// write sends a piece, the last chunk where it is nil. A connection that is closed
// meanwhile has its answer, or will have none.
func (c *flooder) write(chunked bool, piece []byte) {
	buffers := net.Buffers{piece}
	if chunked {
		buffers = net.Buffers{fmt.Appendf(nil, "%x\r\n", len(piece)), piece, []byte("\r\n")}
	}
	if _, err := buffers.WriteTo(c.conn); errors.Is(err, net.ErrClosed) {
		panic("a connection was closed while it was in use")
	}
}

// sink is a pipeline that takes any body.
func sink(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			w.WriteHeader(http.StatusBadRequest)
		}
	}))
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}
