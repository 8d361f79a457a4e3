package e2e

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// wireMessage is one HTTP/1.1 message as it came over the wire.
type wireMessage struct {
	raw      []byte
	head     string // first line and headers, each with its CRLF
	body     []byte // chunks joined
	trailers string // each with its CRLF
}

// lines are the header lines.
func (m wireMessage) lines() []string {
	return strings.Split(strings.TrimSuffix(m.head, "\r\n"), "\r\n")[1:]
}

// target is the request's.
func (m wireMessage) target() string {
	fields := strings.SplitN(m.head, " ", 3)
	return fields[1]
}

// whole is the message without how its body was cut into chunks.
func (m wireMessage) whole() []byte {
	return fmt.Appendf(nil, "%s\r\n%s\r\n%s", m.head, m.body, m.trailers)
}

// pseudoLines is the list that Envoy makes HTTP/1.1 of: pseudo headers first.
func (m wireMessage) pseudoLines() []string {
	method, _, _ := strings.Cut(m.head, " ")
	lines := m.lines()
	host := strings.TrimPrefix(lines[0], "host: ")
	return append([]string{":authority: " + host, ":path: " + m.target(), ":method: " + method, ":scheme: http"}, lines[1:]...)
}

// wireReader reads messages whose framing is in order, as Envoy's always is.
type wireReader struct {
	br  *bufio.Reader
	raw []byte // of the message so far
}

// request reads one request.
func (r *wireReader) request() (m wireMessage, err error) { return r.message(false) }

// message reads one; toEnd: without a length it ends with the connection.
func (r *wireReader) message(toEnd bool) (m wireMessage, err error) {
	r.raw = nil
	if m.head, err = r.section(); err != nil {
		return m, err
	}
	length, sized := wireField(m.head, "content-length")
	coding, _ := wireField(m.head, "transfer-encoding")
	switch {
	case coding == "chunked":
		if m.body, err = r.chunks(); err == nil {
			m.trailers, err = r.section()
		}
	case sized:
		var n int
		if n, err = strconv.Atoi(length); err == nil {
			m.body, err = r.take(n)
		}
	case toEnd:
		m.body, err = io.ReadAll(r.br)
		r.raw = append(r.raw, m.body...)
	}
	m.raw = r.raw
	return m, err
}

func wireField(head, name string) (string, bool) {
	_, rest, ok := strings.Cut(head, "\r\n"+name+": ")
	value, _, _ := strings.Cut(rest, "\r\n")
	return value, ok
}

func (r *wireReader) line() (string, error) {
	b, err := r.br.ReadBytes('\n')
	r.raw = append(r.raw, b...)
	return string(b), err
}

func (r *wireReader) take(n int) ([]byte, error) {
	b := make([]byte, n)
	read, err := io.ReadFull(r.br, b)
	r.raw = append(r.raw, b[:read]...)
	return b[:read], err
}

// section reads lines up to an empty one, which it leaves out.
func (r *wireReader) section() (string, error) {
	var lines strings.Builder
	for {
		l, err := r.line()
		if err != nil || l == "\r\n" {
			return lines.String(), err
		}
		lines.WriteString(l)
	}
}

func (r *wireReader) chunks() ([]byte, error) {
	var body []byte
	for {
		l, err := r.line()
		if err != nil {
			return body, err
		}
		size, _, _ := strings.Cut(strings.TrimSuffix(l, "\r\n"), ";")
		n, err := strconv.ParseUint(size, 16, 31)
		if err != nil || n == 0 {
			return body, err
		}
		chunk, err := r.take(int(n) + len("\r\n"))
		if err != nil {
			return body, err
		}
		body = append(body, chunk[:n]...)
	}
}
