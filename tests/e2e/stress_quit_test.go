package e2e

import (
	"io"
	"net/http"
	"time"
)

// quitBody hangs up when half of the body is sent.
func (c *stressClient) quitBody() {
	path := []string{"/slot", "/up/slot"}[c.random.IntN(2)]
	body := c.body(1000 + c.random.IntN(100_000))
	half := &halfBody{rest: int64(body.Len() / 2), from: body}
	length := int64(body.Len())
	if c.random.IntN(2) == 0 {
		length = -1
	}
	c.send(ask{
		method: http.MethodPut, path: path, meter: c.meter(), body: half, length: length,
		headers: []string{"x-version", "0"}, // no version that counts, if any of it does
		hangUp:  func(_ string, now func()) { half.over = now },
	})
	if half.quit {
		c.s.happened("the client hung up in its body")
	}
}

// halfBody ends in half of what it was to be.
type halfBody struct {
	from io.Reader
	rest int64
	over func() // called where it ends
	quit bool
}

func (h *halfBody) Read(b []byte) (int, error) {
	if h.rest == 0 {
		h.quit = true
		h.over()
		return 0, errHungUp
	}
	n, err := h.from.Read(b[:min(int64(len(b)), h.rest)])
	h.rest -= int64(n)
	return n, err
}

// quitWaiting hangs up when the pipeline has the request and works on it.
func (c *stressClient) quitWaiting() {
	body := c.body(500)
	c.send(ask{
		method: http.MethodPost, path: "/slot", meter: c.meter(), body: body, length: lengthOf(body),
		headers: []string{"x-fault", faultHold},
		hangUp:  c.s.pipeline.onArrival,
	})
}

// quitAnytime hangs up some time after it has sent its request, which has an effect
// or not.
func (c *stressClient) quitAnytime() {
	c.write("/slot", c.shape(), c.body(500), 20_000, func(_ string, now func()) {
		time.AfterFunc(time.Duration(c.random.IntN(20))*time.Millisecond, now)
		c.s.happened("the client hung up at any time")
	})
}

// quitAnswer hangs up when the answer has begun.
func (c *stressClient) quitAnswer() {
	c.send(ask{
		method: http.MethodGet, path: "/unslotted", meter: c.meter(), once: true,
		headers: []string{"x-shape", "events", "x-octets", "300000"},
		read: func(answer io.Reader) error {
			if _, err := io.ReadFull(answer, make([]byte, 1000)); err != nil {
				return err
			}
			c.s.happened("the client hung up in the answer")
			return errHungUp
		},
	})
}

// faulty is a request that the pipeline does not answer whole.
func (c *stressClient) faulty(fault string) {
	body := c.body(500)
	c.send(ask{
		method: http.MethodPost, path: "/slot", meter: c.meter(), body: body, length: lengthOf(body),
		headers: []string{"x-fault", fault, "x-shape", c.shape(), "x-octets", "20000"},
	})
}

// early has its answer before the pipeline has read the body, which Envoy has whole.
func (c *stressClient) early(octets int) {
	body := c.body(octets)
	c.send(ask{
		method: http.MethodPost, path: "/slot", meter: c.meter(), body: body, length: lengthOf(body),
		headers: []string{"x-fault", faultEarly},
	})
}

// earlyUpload has its answer before it has sent the whole body.
func (c *stressClient) earlyUpload() {
	body := newOpenBody()
	body.more <- stressOctets[:1000]
	defer body.end()
	if c.send(ask{
		method: http.MethodPost, path: "/up", meter: c.meter(), open: body,
		headers: []string{"x-fault", faultEarly},
	}) {
		c.s.happened("an answer came before its request was whole")
	}
}

// lasting is a request whose answer has no end, and on every second connection its
// body neither: something else ends it.
func (c *stressClient) lasting() {
	a := ask{method: http.MethodGet, path: "/lasting", once: true}
	if c.n%2 == 1 {
		body := newOpenBody()
		body.more <- stressOctets[:1000]
		body.more <- stressOctets[:1000]
		defer body.end()
		a = ask{method: http.MethodPost, path: "/up", open: body}
	}
	a.meter, a.headers = c.meter(), []string{"x-fault", faultLasting}
	c.send(a)
}
