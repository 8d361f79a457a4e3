package e2e

import (
	"context"
	"errors"
	"net"
	"sync"
)

// door is where Envoy listens. While there is no Envoy, clients wait at it. Many
// goroutines may use it.
type door struct {
	mu     sync.Mutex
	addr   string
	opened chan struct{} // closed while it is open
	gone   context.Context
}

func newDoor(gone context.Context) *door {
	return &door{opened: make(chan struct{}), gone: gone}
}

func (d *door) open(addr string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.addr = addr
	close(d.opened)
}

func (d *door) shut() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.opened = make(chan struct{})
}

// address waits until it is open.
func (d *door) address(ctx context.Context) (string, error) {
	d.mu.Lock()
	opened := d.opened
	d.mu.Unlock()
	select {
	case <-opened:
	case <-ctx.Done():
		return "", context.Cause(ctx)
	case <-d.gone.Done():
		return "", errors.New("the test has ended")
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.addr, nil
}

// dial connects to Envoy, once there is one.
func (d *door) dial(ctx context.Context, network, _ string) (net.Conn, error) {
	addr, err := d.address(ctx)
	if err != nil {
		return nil, err
	}
	return new(net.Dialer).DialContext(ctx, network, addr)
}
