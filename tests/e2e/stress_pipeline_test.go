package e2e

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"verbatim/filter"
)

// stressPipeline does what a request says, faults included. What it answers is a
// function of the requests that it was given whole, and of their clocks and seeds.
// Of those, two kinds have a lasting effect, which is such that a replay has it too:
//
//   - /slot keeps the newest version of a client's slot, whenever older ones come.
//     So it does not matter whether a request that nobody saw answered had an effect,
//     once the client has written another.
//   - /ledger numbers a meter's requests. So it matters for each of them, and the
//     test lets nothing break off while one is under way.
//
// Nothing that is faulty has an effect.
type stressPipeline struct {
	address string
	// stall is how long at most a request is held that its client or Envoy is to
	// give up.
	stall time.Duration

	mu      sync.Mutex
	slots   map[string]stressSlot // by meter and client
	ledgers map[string][32]byte   // by meter
	gave    map[string][][32]byte // digests of the bodies of whole answers, by id
	waiting map[string]func()     // called when the request with this id has arrived
	counts  map[string]int        // of what happened
	open    int                   // answers that last
}

type stressSlot struct {
	version int
	text    string
}

func startStressPipeline(t *testing.T, protocol filter.Protocol, stall time.Duration) *stressPipeline {
	t.Helper()
	p := &stressPipeline{
		stall: stall, slots: map[string]stressSlot{}, ledgers: map[string][32]byte{}, gave: map[string][][32]byte{},
		waiting: map[string]func(){}, counts: map[string]int{},
	}
	server := httptest.NewUnstartedServer(p)
	if protocol == filter.H2 {
		server.Config.Protocols = new(http.Protocols)
		server.Config.Protocols.SetUnencryptedHTTP2(true)
	}
	server.Start()
	t.Cleanup(server.Close)
	p.address = server.Listener.Addr().String()
	return p
}

// happened counts something.
func (p *stressPipeline) happened(what string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.counts[what]++
}

// all is all that was counted.
func (p *stressPipeline) all() map[string]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.counts)
}

func (p *stressPipeline) count(what string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.counts[what]
}

// onArrival has f called when the request with this id is there.
func (p *stressPipeline) onArrival(id string, f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting[id] = f
}

func (p *stressPipeline) arrived(id string) {
	p.mu.Lock()
	f := p.waiting[id]
	delete(p.waiting, id)
	p.mu.Unlock()
	if f != nil {
		f()
	}
}

func (p *stressPipeline) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header()["Date"] = nil
	w.Header().Set("x-id", r.Header.Get("x-id"))
	switch {
	case r.Header.Get("x-fault") == faultEarly:
		p.early(w, r)
		return
	case r.Header.Get("x-fault") == faultLasting:
		p.lasting(w, r)
		return
	case r.URL.Path == "/up/chat":
		p.chat(w, r)
		return
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, r.Body); err != nil {
		p.happened("the pipeline saw a body break off")
		panic(http.ErrAbortHandler)
	}
	if r.Header.Get("x-fault") != "" {
		p.fault(w, r)
		return
	}
	p.answer(w, r, p.effect(r, fmt.Sprintf("%x", sum.Sum(nil))))
}

// effect does what the request is for, and returns what to say of it.
func (p *stressPipeline) effect(r *http.Request, digest string) string {
	h, meter := r.Header, r.Header.Get("x-meter-id")
	text := fmt.Sprintf("%s %s clock %s seed %s body %s\n", r.Method, h.Get("x-id"), h.Get(clockHeader), h.Get(seedHeader), digest)
	p.mu.Lock()
	defer p.mu.Unlock()
	slot := meter + " " + h.Get("x-client")
	switch {
	case r.URL.Path == "/ledger":
		last := p.ledgers[meter]
		p.ledgers[meter] = sha256.Sum256(append(last[:], text...))
		return fmt.Sprintf("%sledger %x\n", text, p.ledgers[meter])
	case r.Method == http.MethodGet && r.URL.Path == "/slot":
		return fmt.Sprintf("%sslot %d: %s", text, p.slots[slot].version, p.slots[slot].text)
	}
	if version, err := strconv.Atoi(h.Get("x-version")); err == nil && version > p.slots[slot].version {
		p.slots[slot] = stressSlot{version, text}
	}
	return text
}

// whole makes a body of as many octets as the request asks for, if the text has fewer.
func whole(r *http.Request, text string) []byte {
	body := []byte(text)
	if octets, err := strconv.Atoi(r.Header.Get("x-octets")); err == nil {
		for len(body) < octets {
			body = append(body, body[:min(len(body), octets-len(body))]...)
		}
	}
	return body
}

// answer answers whole, in the shape that the request asks for.
func (p *stressPipeline) answer(w http.ResponseWriter, r *http.Request, text string) {
	body := whole(r, text)
	p.give(r, sha256.Sum256(body))
	out := http.NewResponseController(w)
	switch r.Header.Get("x-shape") {
	case "events":
		w.Header().Set("content-type", "text/event-stream")
	case "chunked":
		w.Header().Set("content-type", "application/octet-stream")
	default:
		w.Header().Set("content-length", strconv.Itoa(len(body)))
		_, _ = w.Write(body) // the client may be gone
		return
	}
	for len(body) > 0 && out.Flush() == nil {
		n := min(len(body), 16<<10)
		_, _ = w.Write(body[:n])
		body = body[n:]
	}
}

func (p *stressPipeline) give(r *http.Request, sum [32]byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	id := r.Header.Get("x-id")
	p.gave[id] = append(p.gave[id], sum)
}

// hasGiven says whether a request was answered with a body of this digest.
func (p *stressPipeline) hasGiven(id string, sum [32]byte) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Contains(p.gave[id], sum)
}

// chat answers each message with its digest, and trailers.
func (p *stressPipeline) chat(w http.ResponseWriter, r *http.Request) {
	out := http.NewResponseController(w)
	w.Header().Set("content-type", "application/grpc")
	_ = out.EnableFullDuplex() // HTTP/2 does it anyway
	sum, message := sha256.New(), make([]byte, chatMessage)
	for {
		switch _, err := io.ReadFull(r.Body, message); {
		case errors.Is(err, io.EOF):
			w.Header().Set(http.TrailerPrefix+"grpc-status", "0")
			p.give(r, [32]byte(sum.Sum(nil)))
			return
		case err != nil:
			p.happened("the pipeline saw a body break off")
			panic(http.ErrAbortHandler)
		}
		said := sha256.Sum256(message)
		sum.Write(said[:])
		if _, err := w.Write(said[:]); err != nil || out.Flush() != nil {
			panic(http.ErrAbortHandler)
		}
	}
}

// wait waits until Envoy gives the request up, or for as long as it stalls.
func (p *stressPipeline) wait(r *http.Request) (givenUp bool) {
	ctx, cancel := context.WithTimeout(r.Context(), p.stall)
	defer cancel()
	<-ctx.Done()
	return r.Context().Err() != nil
}

// reset ends a request's connection, or its stream, as a program does that dies.
func reset(w http.ResponseWriter) {
	if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
		_ = conn.(*net.TCPConn).SetLinger(0) // what it then sends is a reset
		_ = conn.Close()
		return
	}
	panic(http.ErrAbortHandler)
}
