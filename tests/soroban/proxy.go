package soroban

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"
)

// Fault is what a Proxy does wrong with a request.
type Fault int

// The faults.
const (
	Drop       Fault = iota // closes the connection before the node gets the request
	DropAfter               // the node acts, and its answer is lost
	Hold                    // keeps the request until Behave
	HoldAfter               // the node acts, and its answer is kept until Behave
	Status500               // an error of HTTP
	Status429               // too many requests
	Nonsense                // 200, and no JSON
	WrongShape              // JSON of another shape
	GarbageXDR              // the right shape, and XDR that can't be decoded
	Endless                 // an answer without an end
)

// AnyMethod stands for every method.
const AnyMethod = ""

// Proxy stands before a node and makes faults of transport. Its methods are safe for
// use by several goroutines.
type Proxy struct {
	node   string
	server *http.Server
	url    string
	served chan struct{}

	mu      sync.Mutex
	faults  map[string]*fault // by method
	calls   map[string]int
	changed chan struct{} // closed and made anew when a call is counted
	behave  chan struct{} // closed and made anew by Behave
}

type fault struct {
	what Fault
	left int // -1: for ever
}

// StartProxy starts a proxy before a node, and ends it with the test.
func StartProxy(t testing.TB, n *Node) *Proxy {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{
		node: n.URL(), url: "http://" + listener.Addr().String(), served: make(chan struct{}), faults: map[string]*fault{},
		calls: map[string]int{}, changed: make(chan struct{}), behave: make(chan struct{}),
	}
	p.server = &http.Server{Handler: p, ReadHeaderTimeout: time.Minute}
	go func() { // ends with Close
		_ = p.server.Serve(listener) // it says that it was closed
		close(p.served)
	}()
	t.Cleanup(p.close)
	return p
}

func (p *Proxy) close() {
	p.Behave()
	_ = p.server.Close() // its connections are given up
	<-p.served
}

// URL is where the proxy answers.
func (p *Proxy) URL() string { return p.url }

// Misbehave makes faults with the next count requests of a method, or AnyMethod; -1
// for ever. It replaces what was said of that method before.
func (p *Proxy) Misbehave(method string, what Fault, count int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults[method] = &fault{what, count}
}

// Behave ends all faults, and lets go what is held.
func (p *Proxy) Behave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	clear(p.faults)
	close(p.behave)
	p.behave = make(chan struct{})
}

// Calls is how many requests of a method have arrived. Those with HoldAfter or
// DropAfter count once the node has acted.
func (p *Proxy) Calls(method string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.calls[method]
}

// Await returns when count requests of a method have arrived, as Calls counts them.
func (p *Proxy) Await(ctx context.Context, method string, count int) error {
	for {
		p.mu.Lock()
		have, changed := p.calls[method], p.changed
		p.mu.Unlock()
		if have >= count {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("wait for call %d of %s: %w", count, method, context.Cause(ctx))
		}
	}
}

// take returns the fault to make with a request, if there is one.
func (p *Proxy) take(method string) (what Fault, faulty bool, behave chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, name := range []string{method, AnyMethod} {
		if f := p.faults[name]; f != nil && f.left != 0 {
			if f.left > 0 {
				f.left--
			}
			return f.what, true, p.behave
		}
	}
	return 0, false, nil
}

func (p *Proxy) count(method string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls[method]++
	close(p.changed)
	p.changed = make(chan struct{})
}

// ServeHTTP handles one request.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var call struct{ Method string }
	if err != nil || json.Unmarshal(body, &call) != nil {
		panic(http.ErrAbortHandler)
	}
	what, faulty, behave := p.take(call.Method)
	if !faulty || what == DropAfter || what == HoldAfter {
		answer := p.forward(r.Context(), body)
		p.count(call.Method)
		switch {
		case faulty && what == DropAfter:
			panic(http.ErrAbortHandler)
		case faulty:
			hold(r.Context(), behave)
		}
		reply(w, http.StatusOK, answer)
		return
	}
	p.count(call.Method)
	if what == Hold {
		hold(r.Context(), behave)
		reply(w, http.StatusOK, p.forward(r.Context(), body))
		return
	}
	spoil(w, what, body)
}

// hold returns when the proxy behaves again, or nobody waits any more.
func hold(ctx context.Context, behave chan struct{}) {
	select {
	case <-behave:
	case <-ctx.Done():
		panic(http.ErrAbortHandler)
	}
}

func (p *Proxy) forward(ctx context.Context, body []byte) []byte {
	request, err := http.NewRequestWithContext(context.WithoutCancel(ctx), http.MethodPost, p.node, bytes.NewReader(body))
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	request.Close = true
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	return answer
}

func reply(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body) // a client that is gone needs none
}
