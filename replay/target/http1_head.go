package target

import (
	"bytes"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"

	logv1 "verbatim/proto/verbatim/log/v1"
)

// http1Head is a parsed head of a response.
type http1Head struct {
	status     int
	persistent bool // the version and the connection header let it be reused
	headers    []*logv1.Header
}

// parseHead parses a status line and what follows it. The headers share block.
func parseHead(block []byte) (http1Head, error) {
	line, rest, _ := bytes.Cut(block, []byte("\n"))
	version, status, err := parseStatusLine(line)
	if err != nil {
		return http1Head{}, err
	}
	headers, err := parseFields(rest)
	if err != nil {
		return http1Head{}, err
	}
	h := http1Head{status: status, persistent: version == "HTTP/1.1", headers: headers}
	for token := range strings.SplitSeq(h.joined("connection"), ",") {
		if strings.EqualFold(strings.Trim(token, " \t"), "close") {
			h.persistent = false
		}
	}
	return h, nil
}

// parseStatusLine allows white space as Envoy does; the reason is of no
// interest but for NUL, which Envoy refuses.
func parseStatusLine(line []byte) (version string, status int, err error) {
	fields := strings.FieldsFunc(string(line), func(c rune) bool { return c == ' ' || c == '\t' || c == '\r' })
	if len(fields) < 2 || bytes.HasPrefix(line, []byte(" ")) || bytes.HasPrefix(line, []byte("\t")) || bytes.IndexByte(line, 0) >= 0 {
		return "", 0, malformed("its first line is %.100q", line)
	}
	version = fields[0]
	if len(version) != len("HTTP/1.1") || !strings.HasPrefix(version, "HTTP/") || !isDigit(version[5]) || version[6] != '.' || !isDigit(version[7]) {
		return "", 0, malformed("its first line is %.100q", line)
	}
	n, err := strconv.ParseUint(fields[1], 10, 16)
	if err != nil || n < 100 {
		return "", 0, malformed("its status is %.100q", fields[1])
	}
	return version, int(n), nil
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// parseFields parses header or trailer lines, each with its end. The fields
// share block.
func parseFields(block []byte) ([]*logv1.Header, error) {
	var list []*logv1.Header
	for len(block) > 0 {
		end := fieldEnd(block)
		name, value, ok := bytes.Cut(block[:end], []byte(":"))
		if !ok || !httpguts.ValidHeaderFieldName(string(name)) {
			return nil, malformed("it has a header line of %d octets that is no header", end)
		}
		value = unfold(value)
		if !isValue(value) {
			return nil, malformed("its header %s has a control character", name)
		}
		list = append(list, &logv1.Header{Name: name, Value: value})
		block = block[end:]
	}
	return list, nil
}

// fieldEnd is where the first field ends: lines that begin with white space
// continue it.
func fieldEnd(block []byte) int {
	end := 0
	for {
		end += bytes.IndexByte(block[end:], '\n') + 1
		if end == len(block) || block[end] != ' ' && block[end] != '\t' {
			return end
		}
	}
}

// unfold drops CR and LF wherever they stand, then white space around. It may
// write over value.
func unfold(value []byte) []byte {
	value = bytes.TrimRight(value, "\r\n")
	if bytes.ContainsAny(value, "\r\n") {
		kept := value[:0]
		for _, c := range value {
			if c != '\r' && c != '\n' {
				kept = append(kept, c)
			}
		}
		value = kept
	}
	return bytes.Trim(value, " \t")
}

// joined is the value of all headers of a name as Envoy joins them.
func (h http1Head) joined(name string) string {
	var values []string
	for _, f := range h.headers {
		if strings.EqualFold(string(f.GetName()), name) && len(f.GetValue()) > 0 {
			values = append(values, string(f.GetValue()))
		}
	}
	return strings.Join(values, ",")
}

func (h http1Head) has(name string) bool {
	for _, f := range h.headers {
		if strings.EqualFold(string(f.GetName()), name) {
			return true
		}
	}
	return false
}
