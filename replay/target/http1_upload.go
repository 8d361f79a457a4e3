package target

import (
	"net"
	"time"
)

// http1Upload writes one request. Its goroutine waits for the server to take
// octets in and, at the gate, for octets of the answer.
type http1Upload struct {
	tcp      *net.TCPConn
	request  *Request
	via      bool
	gate     *gate
	progress func()

	// What came of it, to be read once run has returned.
	octets  int64 // written
	whole   bool  // all is written
	waiting *Part // the part that was never sent, because octets did not come
	broken  bool  // the client went away, as it was recorded
	err     error // of the connection
	source  error // of who gives the parts
}

func (u *http1Upload) run() {
	head, chunks := http1RequestHead(u.request, u.via)
	if u.request.headersOnly() {
		u.whole = u.write(net.Buffers{head})
	} else if u.request.Parts == nil || u.write(net.Buffers{head}) {
		if u.request.Parts != nil {
			head = nil
		}
		u.parts(head, chunks)
	}
	if after := u.request.BreakOff; after != nil && u.whole && u.gate.await(*after) {
		u.breakOff()
	}
}

// parts writes the body, behind a head that is not written yet.
func (u *http1Upload) parts(head []byte, chunks bool) {
	for part, err := range u.request.parts() {
		if err != nil {
			u.source = err
			_ = u.tcp.SetReadDeadline(longAgo) // nobody is to wait for an answer
			return
		}
		if !u.gate.await(part.After) {
			u.waiting = &part
			return
		}
		u.progress()
		buffers := net.Buffers{head, part.Data}
		if chunks {
			buffers = http1Chunk(head, part)
		}
		if !u.write(buffers) {
			return
		}
		head = nil
	}
	u.whole = true
}

func (u *http1Upload) write(b net.Buffers) bool {
	n, err := b.WriteTo(u.tcp)
	u.octets += n
	u.err = err
	return err == nil
}

// lingering is how long a client that broke off waits for the server to notice.
const lingering = time.Second

// breakOff ends the connection so that what was sent is still read: one that is
// closed with octets of the answer unread would take them from the server.
func (u *http1Upload) breakOff() {
	u.broken = true
	u.err = u.tcp.CloseWrite()
	_ = u.tcp.SetReadDeadline(time.Now().Add(lingering))
}
