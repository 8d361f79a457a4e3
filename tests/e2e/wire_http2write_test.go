package e2e

import (
	"fmt"
	"strings"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	logv1 "verbatim/proto/verbatim/log/v1"
)

// maxWireFrame is what every peer takes (RFC 9113 4.2).
const maxWireFrame = 16384

// write sends an answer. It does not look at windows: Envoy and the replay's
// client open theirs by 16 MiB before their first request.
func (p *wirePeer) write(id uint32, a wireStreamAnswer) error {
	if a.before != nil {
		if err := p.writeList(id, a.before, false); err != nil {
			return err
		}
	}
	last := len(a.trailers) == 0
	if err := p.writeList(id, a.headers, last && len(a.body) == 0); err != nil {
		return err
	}
	for rest := a.body; len(rest) > 0; {
		part := rest[:min(len(rest), maxWireFrame)]
		rest = rest[len(part):]
		if err := p.WriteData(id, last && len(rest) == 0, part); err != nil {
			return err
		}
	}
	if last {
		return nil
	}
	return p.writeList(id, a.trailers, true)
}

// writeList writes a header list in HEADERS and as many CONTINUATION as it takes.
func (p *wirePeer) writeList(id uint32, lines []string, end bool) error {
	p.block.Reset()
	for _, h := range headerList(lines...) {
		if err := p.enc.WriteField(hpack.HeaderField{Name: string(h.GetName()), Value: string(h.GetValue())}); err != nil {
			return fmt.Errorf("encode headers: %w", err)
		}
	}
	part := p.block.Next(maxWireFrame)
	err := p.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: part, EndStream: end, EndHeaders: p.block.Len() == 0})
	for err == nil && p.block.Len() > 0 {
		part = p.block.Next(maxWireFrame)
		err = p.WriteContinuation(id, p.block.Len() == 0, part)
	}
	return err
}

// headerList makes a list of "name: value" lines; a name may begin with a colon.
func headerList(lines ...string) []*logv1.Header {
	var list []*logv1.Header
	for _, l := range lines {
		at := strings.Index(l[1:], ": ") + 1
		list = append(list, &logv1.Header{Name: []byte(l[:at]), Value: []byte(l[at+len(": "):])})
	}
	return list
}

// linesOf is the reverse of headerList.
func linesOf(list []*logv1.Header) []string {
	var lines []string
	for _, h := range list {
		lines = append(lines, string(h.GetName())+": "+string(h.GetValue()))
	}
	return lines
}
