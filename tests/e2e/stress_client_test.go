package e2e

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"verbatim/sidecar/output"
)

// stressPatience bounds each request of a client. It exceeds what Envoy and the
// sidecar together may take, so that whatever is not over by then hangs.
const stressPatience = 2 * time.Minute

// stressClient is one connection, of HTTP/1.1 or HTTP/2. One goroutine uses it.
type stressClient struct {
	s         *stress
	n         int
	transport *http.Transport
	once      *http.Transport // a connection for each request
	random    *rand.Rand
	sent      int // requests
	slots     [stressMeters]struct{ sent, answered int }
}

func (s *stress) newClient(n int) *stressClient {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(n%2 == 0)
	protocols.SetUnencryptedHTTP2(n%2 == 1)
	c := &stressClient{s: s, n: n, random: rand.New(rand.NewPCG(s.seed, uint64(n)))} //nolint:gosec // not for secrets
	c.transport = &http.Transport{DialContext: s.door.dial, Protocols: protocols, DisableCompression: true}
	c.once = c.transport.Clone()
	c.once.DisableKeepAlives, c.once.DialContext = true, s.door.dialForBody
	return c
}

// run sends requests until over is closed.
func (c *stressClient) run(over <-chan struct{}) {
	defer c.transport.CloseIdleConnections()
	for {
		select {
		case <-over:
			return
		default:
			c.draw()
		}
	}
}

// draw sends one request of those in stressTraffic, each with its share.
func (c *stressClient) draw() {
	if c.n < stressStreams && c.s.wantStreams.Load() {
		c.lasting()
		return
	}
	n := c.random.IntN(stressShares)
	for _, k := range stressTraffic {
		if n -= k.share; n < 0 {
			k.send(c)
			return
		}
	}
}

// ask is a request.
type ask struct {
	method, path string
	meter        int
	headers      []string // names and values
	body         io.Reader
	length       int64     // of the body; -1: it does not say
	open         *openBody // is the body, which ends with the connection; nil: another is
	once         bool      // over a connection of its own
	// read takes the answer; nil: it is read to its end.
	read func(io.Reader) error
	// hangUp gets what ends the request from the client's side, before it is sent; may be nil.
	hangUp func(id string, now func())
}

// send sends a request, and says whether the pipeline answered it whole. What the
// client saw then has to be in the log.
func (c *stressClient) send(a ask) (answered bool) {
	id := fmt.Sprintf("%d-%d", c.n, c.sent)
	c.sent++
	ctx, cancel := context.WithTimeout(c.s.t.Context(), stressPatience)
	defer cancel()
	if a.hangUp != nil {
		a.hangUp(id, cancel)
	}
	saw, err := c.exchange(ctx, id, a)
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		c.s.hangs(id, a, err)
	case err != nil:
		c.s.happened("broken off")
	case saw.served:
		c.s.saw(id, saw)
		return true
	default:
		c.s.happened(fmt.Sprintf("refused: %d %s", saw.status, saw.refused))
		_ = c.s.pace.Wait(ctx) // at most until the request's end
	}
	return false
}

// sawAnswer is an answer that came whole.
type sawAnswer struct {
	served  bool   // by the pipeline
	refused string // by the sidecar, why
	status  int
	octets  int64
	sum     [32]byte
}

func (c *stressClient) exchange(ctx context.Context, id string, a ask) (saw sawAnswer, err error) {
	if a.open != nil {
		a.body, a.length = a.open, -1
		// While HTTP/2's client waits for more of a body it heeds no deadline.
		defer context.AfterFunc(ctx, func() { _ = a.open.Close() })()
		ctx = context.WithValue(ctx, bodyKey{}, a.open)
	}
	r, err := http.NewRequestWithContext(ctx, a.method, "http://stress.test"+a.path, a.body)
	if err != nil {
		return saw, err
	}
	r.GetBody, r.ContentLength = nil, a.length // it is not sent again
	r.Header.Set("x-id", id)
	r.Header.Set("x-client", strconv.Itoa(c.n))
	r.Header.Set("x-meter-id", stressMeter(a.meter))
	for i := 0; i < len(a.headers); i += 2 {
		r.Header.Set(a.headers[i], a.headers[i+1])
	}
	transport := c.transport
	if a.once || a.open != nil {
		transport = c.once
	}
	resp, err := transport.RoundTrip(r)
	if err != nil {
		return saw, err
	}
	defer func() { _ = resp.Body.Close() }() // what it is worth is known by then
	sum := sha256.New()
	counted := &countingReader{from: io.TeeReader(resp.Body, sum)}
	if a.read != nil && resp.Header.Get("x-id") == id {
		err = a.read(counted)
	} else {
		_, err = io.Copy(io.Discard, counted)
	}
	return sawAnswer{
		served: resp.Header.Get("x-id") == id, refused: resp.Header.Get(output.RefusedHeader),
		status: resp.StatusCode, octets: counted.n, sum: [32]byte(sum.Sum(nil)),
	}, err
}

func stressMeter(n int) string { return fmt.Sprintf("m%d", n) }

// countingReader counts what is read.
type countingReader struct {
	from io.Reader
	n    int64
}

func (r *countingReader) Read(b []byte) (int, error) {
	n, err := r.from.Read(b)
	r.n += int64(n)
	return n, err
}
