package e2e

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"

	"verbatim/filter"
	"verbatim/replay/target"
)

// binAnswer is what a client sees of an answer.
type binAnswer struct {
	Interim  string // heads of status 1xx
	Head     string
	Body     string
	Trailers string
	Cut      bool // it ended before its length, as one to HEAD does
}

var binDate = regexp.MustCompile(`(?m)^date: .*`)

// without leaves of what moves only that it is there.
func (a binAnswer) without(moves string) binAnswer {
	a.Head = binDate.ReplaceAllString(a.Head, "date: *")
	switch moves {
	case "":
	case binOctets:
		a.Body = fmt.Sprint(len(a.Body))
	default:
		each := regexp.MustCompile("(?m)" + moves)
		a.Head, a.Body, a.Trailers = each.ReplaceAllString(a.Head, "*"), each.ReplaceAllString(a.Body, "*"), each.ReplaceAllString(a.Trailers, "*")
	}
	return a
}

// binClient sends to one address over one of the protocols.
type binClient struct {
	t        *testing.T
	protocol filter.Protocol
	addr     string
	http2    *target.Target
}

func newBinClient(t *testing.T, protocol filter.Protocol, addr string) *binClient {
	c := &binClient{t: t, protocol: protocol, addr: addr}
	if protocol == filter.H2 {
		c.http2 = openTarget(t, "h2c://"+addr)
	}
	return c
}

// send sends a request, with more headers at the end of its list.
func (c *binClient) send(b binCase, more ...string) binAnswer {
	c.t.Helper()
	b.headers = append(append([]string(nil), b.headers...), more...)
	if b.awaits {
		b.headers = append(b.headers, "expect: 100-continue")
	}
	if c.protocol == filter.H2 {
		return c.sendHTTP2(b)
	}
	return c.sendHTTP1(b)
}

// sendHTTP1 uses a connection of its own. It takes the answer to its end, so that nothing behind it is missed.
func (c *binClient) sendHTTP1(b binCase) (a binAnswer) {
	c.t.Helper()
	head := fmt.Sprintf("%s %s HTTP/1.1\r\nhost: bin.example\r\nconnection: close\r\n", b.method, b.path)
	for _, h := range b.headers {
		head += h + "\r\n"
	}
	body := b.body
	switch {
	case b.chunks > 0:
		head, body = head+"transfer-encoding: chunked\r\n", b.chunked()
	case b.body != "" || b.method == "POST":
		head += fmt.Sprintf("content-length: %d\r\n", len(b.body))
	}
	head += "\r\n"
	if !b.awaits {
		// In one write: a server that answers before it has read a body lets Envoy close before the rest comes.
		head, body = head+body, ""
	}
	conn := openWire(c.t, c.addr, []byte(head))
	defer func() { _ = conn.Close() }()
	in := bufio.NewReader(conn)
	read := &wireReader{br: in}
	if b.awaits {
		a.Interim = c.interim(read)
		if _, err := io.WriteString(conn, body); err != nil {
			c.t.Fatal(err)
		}
	}
	for {
		if next, err := in.Peek(len("HTTP/1.1 1")); err != nil || !bytes.HasSuffix(next, []byte(" 1")) {
			break
		}
		a.Interim += c.interim(read)
	}
	m, err := read.message(true)
	rest, restErr := io.ReadAll(in)
	if restErr != nil || len(rest) > 0 {
		c.t.Errorf("%v: behind the answer: %q, %v", b, rest, restErr)
	}
	a.Head, a.Body, a.Trailers, a.Cut = m.head, string(m.body), m.trailers, err != nil
	return a
}

func (c *binClient) interim(read *wireReader) string {
	c.t.Helper()
	head, err := read.section()
	if err != nil {
		c.t.Fatal(err)
	}
	return head
}

// chunked is the body in chunks of about the same size, and the trailers.
func (c binCase) chunked() string {
	var out strings.Builder
	for i := range c.chunks {
		if piece := c.body[len(c.body)*i/c.chunks : len(c.body)*(i+1)/c.chunks]; piece != "" {
			fmt.Fprintf(&out, "%x\r\n%s\r\n", len(piece), piece)
		}
	}
	out.WriteString("0\r\n")
	for _, t := range c.trailers {
		out.WriteString(t + "\r\n")
	}
	return out.String() + "\r\n"
}

// sendHTTP2 doesn't wait where a body is awaited: interim answers are passed over.
func (c *binClient) sendHTTP2(b binCase) (a binAnswer) {
	c.t.Helper()
	m := wireStream{Headers: pseudo(b.method, b.path, b.headers...), Body: []byte(b.body), Trailers: b.trailers, End: "HEADERS"}
	if b.body != "" {
		m.End = "DATA"
		if b.chunks == 0 {
			m.Headers = append(m.Headers, fmt.Sprintf("content-length: %d", len(b.body)))
		}
	}
	answer, err := sendStream(c.t, c.http2, m)
	if err != nil {
		c.t.Fatalf("%v: %v", b, err)
	}
	a.Head = fmt.Sprintf(":status: %d\n%s", answer.Status, strings.Join(linesOf(answer.Headers), "\n"))
	a.Body, a.Trailers = string(answer.Body), strings.Join(linesOf(answer.Trailers), "\n")
	return a
}
