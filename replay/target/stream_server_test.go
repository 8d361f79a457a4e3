package target_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"

	"verbatim/replay/target"
)

// schemes are how a target of each protocol is addressed.
var schemes = []string{"http", "h2c"}

// serveHTTP serves a handler over HTTP/1.1 and HTTP/2 alike; h gets each request
// with its body readable while it answers.
func serveHTTP(t *testing.T, h http.HandlerFunc) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	server := &http.Server{Protocols: protocols, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor == 1 {
			if err := http.NewResponseController(w).EnableFullDuplex(); err != nil {
				panic(err)
			}
		}
		h(w, r)
	})}
	served := make(chan error)
	go func() { served <- server.Serve(l) }()
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return l.Addr().String()
}

// turn is one step of a conversation: the client sends octets, or the server does.
type turn struct {
	ask, answer int
}

// conversation is a server that answers as it is told, and looks how far it had
// got when each octet of the request came.
type conversation struct {
	turns []turn

	mu    sync.Mutex
	came  sync.Cond
	asked int   // octets of the request that came
	sent  int   // octets of the answer that may have gone
	early []int // where octets came before their time
	gone  bool  // no more will come
}

func (c *conversation) serve(w http.ResponseWriter, r *http.Request) {
	var reader sync.WaitGroup
	reader.Go(func() { c.read(r.Body) })
	defer reader.Wait()
	total := 0
	for _, turn := range c.turns {
		total += turn.ask
		c.await(total)
		c.mu.Lock()
		c.sent += turn.answer
		c.mu.Unlock()
		if _, err := w.Write(make([]byte, turn.answer)); err != nil {
			return
		}
		if err := http.NewResponseController(w).Flush(); err != nil {
			return
		}
	}
}

// read notes all octets that come while less of the answer has gone than they wait
// for.
func (c *conversation) read(body io.Reader) {
	defer func() {
		c.mu.Lock()
		c.gone = true
		c.mu.Unlock()
		c.came.Signal()
	}()
	buffer := make([]byte, 7)
	for {
		n, err := body.Read(buffer)
		c.mu.Lock()
		c.asked += n
		if n > 0 && c.sent < c.waitedFor(c.asked) {
			c.early = append(c.early, c.asked)
		}
		c.mu.Unlock()
		c.came.Signal()
		if err != nil {
			return
		}
	}
}

// waitedFor is how much of the answer stands before the request's octet n.
func (c *conversation) waitedFor(n int) (octets int) {
	for _, turn := range c.turns {
		if n -= turn.ask; n <= 0 {
			break
		}
		octets += turn.answer
	}
	return octets
}

func (c *conversation) await(asked int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.asked < asked && !c.gone {
		c.came.Wait()
	}
}

// parts are what the client sends in a conversation.
func (c *conversation) parts() target.Parts {
	return func(yield func(target.Part, error) bool) {
		after := 0
		for i, turn := range c.turns {
			if turn.ask > 0 && !yield(target.Part{Offset: uint64(i), After: uint64(after), Data: make([]byte, turn.ask)}, nil) {
				return
			}
			after += turn.answer
		}
		yield(target.Part{Offset: uint64(len(c.turns)), After: uint64(after), Last: true}, nil)
	}
}

// partsOf are parts that are there.
func partsOf(list ...target.Part) target.Parts {
	return func(yield func(target.Part, error) bool) {
		for _, p := range list {
			if !yield(p, nil) {
				return
			}
		}
	}
}

// converse is a POST in parts.
func converse(parts target.Parts, lines ...string) *target.Request {
	r := get("POST")
	r.Headers = append(r.Headers, headers(lines...)...)
	r.HasBody, r.Parts = true, parts
	return r
}

// within is bounded, so that a test which hangs says where.
func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
	t.Cleanup(cancel)
	return ctx
}

func pointer(n uint64) *uint64 { return &n }

// events answers with so many octets and then waits for the client to go.
func events(octets int, gone chan<- error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for i := range octets {
			_, _ = fmt.Fprint(w, i%10) // that the client is gone is seen below
			_ = http.NewResponseController(w).Flush()
		}
		// A server of HTTP/1.1 that has not read all notices nothing else.
		_, err := io.Copy(io.Discard, r.Body)
		if err == nil {
			<-r.Context().Done()
			err = r.Context().Err()
		}
		gone <- err
	}
}
