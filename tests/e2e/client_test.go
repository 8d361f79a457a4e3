package e2e

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"verbatim/tests/mesh"
)

// Shape of the load under which something is broken.
const (
	clientConnections = 16
	clientMeters      = 40
	// clientEvents is more than a test lets happen: a load ends by being stopped.
	clientEvents = 1 << 30
)

// patience bounds each wait for something that has to come.
const patience = 30 * time.Second

// poll waits for a condition and fails the test when it does not come.
func poll(t *testing.T, what string, condition func() (bool, error)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := mesh.Poll(ctx, what, condition); err != nil {
		t.Fatal(err)
	}
}

// client gives load and notes every exchange that it saw answered.
type client struct {
	reached chan struct{} // gets a value when the awaited number is reached

	mu       sync.Mutex
	answered map[string]string // the answer's body -> the request's
	refused  map[int]int       // by status
	until    int               // answers to come until reached gets its value
}

func newClient() *client {
	return &client{answered: map[string]string{}, refused: map[int]int{}, reached: make(chan struct{}, 1)}
}

// start sends events until stop is called, which may be called again.
func (c *client) start(s *site) (stop func()) {
	s.t.Helper()
	ctx, cancel := context.WithCancel(s.t.Context())
	ended := make(chan struct{})
	addr := s.envoy.Addr
	go func() { // ends with ctx
		defer close(ended)
		_, err := mesh.Load(ctx, mesh.LoadOptions{
			Addr: addr, Connections: clientConnections, Events: clientEvents, Meters: clientMeters, Answer: c.note,
		})
		if !errors.Is(err, context.Canceled) {
			s.t.Errorf("load ended: %v", err)
		}
	}()
	stop = func() { cancel(); <-ended }
	s.t.Cleanup(stop)
	return stop
}

// finish sends a few events more, which must all be answered: it works again.
func (c *client) finish(s *site) {
	s.t.Helper()
	s.load(mesh.LoadOptions{Connections: clientConnections, Events: 200, Meters: clientMeters, Answer: c.note})
}

func (c *client) note(i, status int, body []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if status != 200 {
		c.refused[status]++
		return
	}
	// The token makes every answer another.
	c.answered[string(body)] = string(mesh.Reading(i, clientMeters))
	if c.until--; c.until == 0 {
		c.reached <- struct{}{}
	}
}

// await returns when so many more answers have come.
func (c *client) await(t *testing.T, answers int) {
	t.Helper()
	c.mu.Lock()
	c.until = answers
	c.mu.Unlock()
	over := time.NewTimer(patience)
	defer over.Stop()
	select {
	case <-c.reached:
	case <-over.C:
		t.Fatalf("%d more answers did not come in %v", answers, patience)
	}
}

// check requires each answered exchange to be in a closed log, whole.
func (c *client) check(t *testing.T, log string) {
	t.Helper()
	byAnswer := map[string]*recorded{}
	for _, x := range recordedExchanges(t, log) {
		if x.answer != nil {
			byAnswer[string(x.answer.GetBody())] = x
		}
	}
	if len(c.answered) == 0 {
		t.Fatal("the client saw no answer")
	}
	for answer, sent := range c.answered {
		switch x := byAnswer[answer]; {
		case x == nil:
			t.Errorf("answered, and not in the log: %s", answer)
		case string(x.sent.GetBody()) != sent:
			t.Errorf("request %d is recorded as %s, but was %s", x.request.Offset, x.sent.GetBody(), sent)
		}
	}
}
