package target

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// http1Reader reads responses as Envoy's HTTP/1 codec (its Balsa parser) does,
// the lax parts included: lines of the head may end in LF alone, obsolete line
// folding is undone, CR within a value is dropped.
//
// It fails with ErrMalformed, or with the error of the connection.
type http1Reader struct {
	br *bufio.Reader
}

// maxSection is the most octets of a head, of trailers, or of a chunk's size
// line. Envoy refuses heads of more than 60 KiB unless it is told otherwise.
const maxSection = 1 << 20

// malformed says what is wrong with an answer.
func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrMalformed, fmt.Errorf(format, args...))
}

// response reads the final response to a request with this method into g. keep
// says that the connection can be used again.
func (r *http1Reader) response(method string, g *gathered) (keep bool, err error) {
	for {
		block, err := r.section()
		if err != nil {
			return false, err
		}
		head, err := parseHead(block)
		if err != nil {
			return false, err
		}
		f, err := head.framing(method)
		if err != nil {
			return false, err
		}
		if head.status < 200 && head.status != 101 {
			continue
		}
		g.message.Status, g.message.Headers = head.status, head.headers
		g.came(0)
		if err := r.body(g, f); err != nil {
			return false, err
		}
		return head.persistent && head.status != 101 && f.kind != untilClose && r.br.Buffered() == 0, nil
	}
}

func (r *http1Reader) body(g *gathered, f framing) (err error) {
	switch f.kind {
	case sized:
		if err := g.tooLong(f.length); err != nil {
			return err
		}
		g.begin(f.length)
		err = r.copy(g, f.length)
	case untilClose:
		_, err = io.Copy(g, r.br)
	case chunked:
		return r.chunkedBody(g)
	}
	return err
}

func (r *http1Reader) chunkedBody(g *gathered) error {
	if err := r.chunks(g); err != nil {
		return err
	}
	block, err := r.section()
	if err != nil {
		return err
	}
	g.message.Trailers, err = parseFields(block)
	return err
}

// copy takes n octets as they come, out of the reader's own buffer.
func (r *http1Reader) copy(g *gathered, n int64) error {
	for n > 0 {
		if _, err := r.br.Peek(1); err != nil {
			return err
		}
		piece, err := r.br.Peek(int(min(int64(r.br.Buffered()), n)))
		if err != nil {
			return err
		}
		if _, err := g.Write(piece); err != nil {
			return err
		}
		if _, err := r.br.Discard(len(piece)); err != nil {
			return err
		}
		n -= int64(len(piece))
	}
	return nil
}

// section reads lines up to an empty one, which it leaves out.
func (r *http1Reader) section() ([]byte, error) {
	var block []byte
	start := 0 // of the current line
	for {
		part, err := r.br.ReadSlice('\n')
		block = append(block, part...)
		switch {
		case len(block) > maxSection:
			return nil, malformed("it has more than %d octets of headers, the limit", maxSection)
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case err != nil:
			return nil, err
		}
		if line := block[start:]; len(line) == 1 || len(line) == 2 && line[0] == '\r' {
			return block[:start], nil
		}
		start = len(block)
	}
}

// chunks reads a chunked body up to its last chunk, without the trailers.
func (r *http1Reader) chunks(g *gathered) error {
	for {
		size, err := r.chunkSize()
		if err != nil || size == 0 {
			return err
		}
		if err := g.tooLong(size); err != nil {
			return err
		}
		if err := r.copy(g, size); err != nil {
			return err
		}
		// Envoy passes over whatever stands between a chunk and its line's end.
		if _, err := r.line(); err != nil {
			return err
		}
	}
}

// line reads up to and including an LF.
func (r *http1Reader) line() ([]byte, error) {
	var line []byte
	for {
		part, err := r.br.ReadSlice('\n')
		line = append(line, part...)
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, err
		}
		if len(line) > maxSection {
			return nil, malformed("a line between its chunks has more than %d octets, the limit", maxSection)
		}
	}
}

func (r *http1Reader) chunkSize() (int64, error) {
	line, err := r.line()
	if err != nil {
		return 0, err
	}
	text, ok := bytes.CutSuffix(line, []byte("\r\n"))
	if !ok || bytes.IndexByte(text, '\r') >= 0 {
		return 0, malformed("the line of a chunk's size is %q", line)
	}
	var size int64
	digits := 0
	for digits < len(text) && hexDigit(text[digits]) >= 0 {
		if size > 1<<58 {
			return 0, malformed("a chunk's size is %q", line)
		}
		size = size<<4 | int64(hexDigit(text[digits]))
		digits++
	}
	if digits == 0 || digits < len(text) && bytes.IndexByte([]byte(" \t;"), text[digits]) < 0 {
		return 0, malformed("a chunk's size is %q", line)
	}
	return size, nil
}

func hexDigit(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}
