package e2e

import (
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"strconv"
)

// What a request has the pipeline do, by its header x-fault.
const (
	faultReset     = "reset"      // no answer: the connection is reset
	faultHalf      = "half"       // half of an answer, then it is reset
	faultStall     = "stall"      // no answer in time
	faultHalfStall = "half-stall" // half of an answer in time
	faultHold      = "hold"       // no answer while the client is there
	faultEarly     = "early"      // the answer before the request is whole
	faultLasting   = "lasting"    // an answer that has no end
)

// fault does what a whole request says.
func (p *stressPipeline) fault(w http.ResponseWriter, r *http.Request) {
	fault := r.Header.Get("x-fault")
	if fault == faultHalf || fault == faultHalfStall {
		p.half(w, r)
	}
	switch fault {
	case faultHold, faultStall, faultHalfStall:
		p.arrived(r.Header.Get("x-id"))
		if p.wait(r) {
			p.happened("the pipeline: " + fault)
		}
		panic(http.ErrAbortHandler) // it is let go
	}
	p.happened("the pipeline: " + fault)
	reset(w)
}

// half gives half of an answer.
func (p *stressPipeline) half(w http.ResponseWriter, r *http.Request) {
	body := whole(r, fmt.Sprintf("half of %s\n", r.Header.Get("x-id")))
	if r.Header.Get("x-shape") == "events" {
		w.Header().Set("content-type", "text/event-stream")
	} else {
		w.Header().Set("content-length", strconv.Itoa(len(body)))
	}
	_, _ = w.Write(body[:len(body)/2])
	_ = http.NewResponseController(w).Flush() // either fails if Envoy is gone
}

// early answers from the headers alone.
func (p *stressPipeline) early(w http.ResponseWriter, r *http.Request) {
	body := whole(r, fmt.Sprintf("early %s clock %s\n", r.Header.Get("x-id"), r.Header.Get(clockHeader)))
	out := http.NewResponseController(w)
	_ = out.EnableFullDuplex() // else HTTP/1.1 reads the body first; HTTP/2 does not
	p.give(r, sha256.Sum256(body))
	p.happened("the pipeline: " + faultEarly)
	if r.URL.Path == "/up" {
		// Without its length, so that no client takes the answer for whole before it is.
		w.Header().Set("content-type", "application/octet-stream")
	} else {
		w.Header().Set("content-length", strconv.Itoa(len(body)))
	}
	_, _ = w.Write(body) // Envoy may be gone
	if r.ProtoMajor == 2 {
		return // what was not read of the body is reset
	}
	_ = out.Flush()
	if r.URL.Path != "/up" {
		_, _ = io.Copy(io.Discard, r.Body) // it breaks off: nobody wants the rest
	}
}

// lasting answers for as long as Envoy is there.
func (p *stressPipeline) lasting(w http.ResponseWriter, r *http.Request) {
	out := http.NewResponseController(w)
	_ = out.EnableFullDuplex() // HTTP/2 does it anyway
	w.Header().Set("content-type", "text/event-stream")
	_, _ = io.WriteString(w, "data: 1\n\n") // Envoy may be gone
	_ = out.Flush()
	p.lasts(1)
	defer p.lasts(-1)
	// HTTP/1.1 sees that Envoy is gone only once the body is read.
	if _, err := io.Copy(io.Discard, r.Body); err == nil {
		p.wait(r)
	}
	panic(http.ErrAbortHandler)
}

func (p *stressPipeline) lasts(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open += n
}

// openStreams is how many answers last at this moment.
func (p *stressPipeline) openStreams() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.open
}
