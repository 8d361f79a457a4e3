package s3

import (
	"context"
	"net"
	"net/http"
	"net/http/httputil"
	"sync"
	"time"
)

// Fault is what a Proxy does wrong with a request.
type Fault int

// The faults.
const (
	Refuse    Fault = iota // 503, and the server never sees the request
	Drop                   // the connection ends, and the server never sees the request
	DropAfter              // the server acts, and the connection ends without its answer
	Truncate               // the server's answer ends in the middle
)

// Proxy stands before a server. Its methods are safe for use by several goroutines.
type Proxy struct {
	address string
	pass    *httputil.ReverseProxy

	mu     sync.Mutex
	before func(*http.Request)
	fault  func(*http.Request) (Fault, bool)
	seen   []string
}

func startProxy(ctx context.Context, socket string) (p *Proxy, stop func(), err error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	transport := dial(socket)
	p = &Proxy{address: "http://" + listener.Addr().String(), pass: &httputil.ReverseProxy{
		Transport: transport,
		// The request is signed with its host: that stays.
		Rewrite: func(r *httputil.ProxyRequest) { r.Out.URL.Scheme, r.Out.URL.Host = "http", "s3" },
	}}
	server := &http.Server{Handler: p, ReadHeaderTimeout: time.Minute}
	served := make(chan struct{})
	go func() { // ends with Close
		_ = server.Serve(listener) // it says that it was closed
		close(served)
	}()
	return p, func() {
		_ = server.Close() // its connections are given up
		<-served
		transport.CloseIdleConnections()
	}, nil
}

// Misbehave makes faults: with each request for which fault says so, until Behave.
// A client tries again what failed, so one request in its eyes is several here. fault
// must not call the Proxy.
func (p *Proxy) Misbehave(fault func(*http.Request) (Fault, bool)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fault = fault
}

// Before calls f for each request before the server gets it; it may call the Proxy.
func (p *Proxy) Before(f func(*http.Request)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.before = f
}

// Behave ends all faults.
func (p *Proxy) Behave() { p.Misbehave(nil) }

// Seen returns what arrived since it was called last, as "PUT /audit/KEY", those that
// a fault was made with included.
func (p *Proxy) Seen() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	seen := p.seen
	p.seen = nil
	return seen
}

func (p *Proxy) take(r *http.Request) (Fault, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seen = append(p.seen, r.Method+" "+r.URL.Path)
	if p.fault == nil {
		return 0, false
	}
	return p.fault(r)
}

// ServeHTTP handles one request.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	before := p.before
	p.mu.Unlock()
	if before != nil {
		before(r)
	}
	fault, faulty := p.take(r)
	switch {
	case !faulty:
		p.pass.ServeHTTP(w, r)
	case fault == Refuse:
		http.Error(w, "<Error><Code>ServiceUnavailable</Code></Error>", http.StatusServiceUnavailable)
	case fault == DropAfter:
		p.pass.ServeHTTP(&lost{header: http.Header{}}, r)
		panic(http.ErrAbortHandler)
	case fault == Truncate:
		p.pass.ServeHTTP(&half{ResponseWriter: w}, r)
		panic(http.ErrAbortHandler)
	default:
		panic(http.ErrAbortHandler)
	}
}

// lost takes an answer that nobody gets.
type lost struct{ header http.Header }

func (l *lost) Header() http.Header         { return l.header }
func (l *lost) Write(b []byte) (int, error) { return len(b), nil }
func (l *lost) WriteHeader(int)             {}

// half passes on the first half of what is written first, and nothing more.
type half struct {
	http.ResponseWriter
	done bool
}

func (h *half) Write(b []byte) (int, error) {
	if !h.done {
		h.done = true
		_, err := h.ResponseWriter.Write(b[:len(b)/2])
		return len(b), err
	}
	return len(b), nil
}

var _ http.Handler = (*Proxy)(nil)
