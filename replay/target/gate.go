package target

import "sync"

// gate holds the writer of an HTTP/1.1 request until enough octets of the answer
// were received.
type gate struct {
	mu       sync.Mutex
	changed  sync.Cond
	received uint64
	closed   bool
}

func newGate() *gate {
	g := new(gate)
	g.changed.L = &g.mu
	return g
}

func (g *gate) add(n octets) {
	g.mu.Lock()
	g.received += uint64(n)
	g.mu.Unlock()
	g.changed.Signal()
}

// close ends every wait.
func (g *gate) close() {
	g.mu.Lock()
	g.closed = true
	g.mu.Unlock()
	g.changed.Signal()
}

// await waits until so many octets were received; false: they will not come.
func (g *gate) await(after uint64) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	for g.received < after && !g.closed {
		g.changed.Wait()
	}
	return g.received >= after
}
