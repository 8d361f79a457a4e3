package clouds

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
	"testing"
)

// fault is what a gate does wrong with a request.
type fault int

const (
	refuse fault = iota // 403, which no client tries again; the server never sees the request
	lose                // the server acts, and the connection ends without its answer
)

// gate stands before a server and makes a fault with one request. It numbers requests
// as they come, from 1.
type gate struct {
	address string
	pass    *httputil.ReverseProxy
	fault   fault
	at      atomic.Int64 // the request that fails; 0: none
	seen    atomic.Int64
}

func startGate(t *testing.T, server string, f fault) *gate {
	t.Helper()
	g := &gate{fault: f, pass: &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(&url.URL{Scheme: "http", Host: server})
		r.Out.Host = r.In.Host
	}}}
	front := httptest.NewServer(g)
	t.Cleanup(front.Close)
	g.address = front.Listener.Addr().String()
	return g
}

// failAt begins to count anew.
func (g *gate) failAt(request int64) {
	g.seen.Store(0)
	g.at.Store(request)
}

func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case g.seen.Add(1) != g.at.Load():
		g.pass.ServeHTTP(w, r)
	case g.fault == refuse:
		w.WriteHeader(http.StatusForbidden)
	default:
		g.pass.ServeHTTP(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	}
}
