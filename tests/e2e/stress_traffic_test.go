package e2e

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
)

// stressTraffic is what clients send, and the share of each kind: what is in order,
// then faults of the client, then those of the pipeline.
var stressTraffic = []struct {
	name  string
	share int
	send  func(*stressClient)
}{
	{"small", 30, func(c *stressClient) { c.put(c.body(200), 200) }},
	{"small, chunked", 8, func(c *stressClient) { c.put(chunked(c.body(200+c.random.IntN(20_000))), 300) }},
	{"read", 10, (*stressClient).get},
	{"ledger", 14, (*stressClient).ledger},
	{"large", 3, func(c *stressClient) { c.put(c.body(c.large()), 100) }},
	{"large, chunked", 2, func(c *stressClient) { c.put(chunked(c.body(c.large())), 100) }},
	{"large answer", 3, func(c *stressClient) { c.put(c.body(100), c.large()) }},
	{"upload in parts", 3, func(c *stressClient) { c.upload(chunked(c.body(c.random.IntN(300_000)))) }},
	{"chat", 6, func(c *stressClient) { c.chat(false) }},

	{"hang up in the body", 4, (*stressClient).quitBody},
	{"hang up while the pipeline works", 2, (*stressClient).quitWaiting},
	{"hang up at any time", 3, (*stressClient).quitAnytime},
	{"hang up in the answer", 2, (*stressClient).quitAnswer},
	{"hang up in a chat", 1, func(c *stressClient) { c.chat(true) }},

	{"reset", 2, func(c *stressClient) { c.faulty(faultReset) }},
	{"half", 2, func(c *stressClient) { c.faulty(faultHalf) }},
	{"stall", 1, func(c *stressClient) { c.faulty(faultStall) }},
	{"half, then stall", 1, func(c *stressClient) { c.faulty(faultHalfStall) }},
	{"early", 2, func(c *stressClient) { c.early(c.large()) }},
	{"early, to an upload", 2, (*stressClient).earlyUpload},
}

var stressShares = func() (sum int) {
	for _, k := range stressTraffic {
		sum += k.share
	}
	return sum
}()

const (
	// Octets of a large body.
	minLarge, maxLarge = 200 << 10, 3 << 20
)

func (c *stressClient) meter() int { return c.random.IntN(stressMeters) }

// large is the length of a large body. All of them together have a bound on how
// much they are in a second, so that a long run fits on a disk.
func (c *stressClient) large() int {
	n := minLarge + c.random.IntN(maxLarge-minLarge)
	_ = c.s.octets.WaitN(c.s.t.Context(), n)
	return n
}

// stressOctets is what bodies are made of; it does not compress.
var stressOctets = func() []byte {
	b := make([]byte, 2*maxLarge)
	_, _ = rand.NewChaCha8([32]byte{}).Read(b) // it does not fail
	return b
}()

// sized is a body that says its length.
type sized struct{ *bytes.Reader }

func (c *stressClient) body(n int) sized {
	from := c.random.IntN(len(stressOctets) - n)
	return sized{bytes.NewReader(stressOctets[from : from+n])}
}

// chunked hides how long a body is.
func chunked(b sized) io.Reader { return struct{ io.Reader }{b} }

func lengthOf(body io.Reader) int64 {
	if s, ok := body.(sized); ok {
		return int64(s.Len())
	}
	return -1
}

// put writes the next version of the client's slot.
func (c *stressClient) put(body io.Reader, octets int) {
	c.write("/slot", c.shape(), body, octets, nil)
}

// upload does that with a body that is recorded in parts. Its answer does not say its
// length: else a client has it whole before the pipeline has ended it.
func (c *stressClient) upload(body io.Reader) { c.write("/up/slot", "chunked", body, 100, nil) }

func (c *stressClient) write(path, shape string, body io.Reader, octets int, hangUp func(string, func())) {
	meter := c.meter()
	slot := &c.slots[meter]
	slot.sent++
	version := slot.sent
	if c.send(ask{
		method: http.MethodPut, path: path, meter: meter, body: body, length: lengthOf(body), hangUp: hangUp,
		headers: []string{"x-version", strconv.Itoa(version), "x-shape", shape, "x-octets", strconv.Itoa(octets)},
	}) {
		slot.answered = version
	}
}

func (c *stressClient) shape() string {
	return []string{"sized", "sized", "sized", "chunked", "events"}[c.random.IntN(5)]
}

// get reads the client's slot, if it is certain which version the pipeline has.
func (c *stressClient) get() {
	meter := c.meter()
	if slot := c.slots[meter]; slot.sent == 0 || slot.answered != slot.sent {
		c.put(c.body(200), 200)
		return
	}
	c.send(ask{method: http.MethodGet, path: "/slot", meter: meter, once: true, headers: []string{"x-shape", c.shape()}})
}

// ledger adds to a meter's ledger, unless something is about to break off.
func (c *stressClient) ledger() {
	if !c.s.quiet.TryRLock() {
		c.put(c.body(100), 100)
		return
	}
	defer c.s.quiet.RUnlock()
	body := c.body(300)
	c.send(ask{method: http.MethodPost, path: "/ledger", meter: c.meter(), body: body, length: lengthOf(body)})
}
