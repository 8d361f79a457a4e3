package target

import (
	"strconv"

	"golang.org/x/net/http2"

	logv1 "verbatim/proto/verbatim/log/v1"
)

// http2Response gathers the answer on one stream and refuses what Envoy
// refuses. The framer has checked names, values and the place of pseudo headers.
type http2Response struct {
	id        uint32
	head      bool // the request was HEAD
	whole     bool
	*gathered // Status 0: no final headers yet
}

// connectionFields do not belong into HTTP/2 (RFC 9113 8.2.2); Envoy lets "te" pass.
var connectionFields = map[string]bool{
	"connection": true, "keep-alive": true, "proxy-connection": true, "transfer-encoding": true, "upgrade": true,
}

func (s *http2Response) onHeaders(f *http2.MetaHeadersFrame) error {
	if f.Truncated {
		return malformed("it has more than %d octets of headers, the limit", maxSection)
	}
	var list []*logv1.Header
	for _, h := range f.RegularFields() {
		if connectionFields[h.Name] {
			return malformed("it has the header %s, which HTTP/2 does not allow", h.Name)
		}
		list = append(list, &logv1.Header{Name: []byte(h.Name), Value: []byte(h.Value)})
	}
	if s.message.Status != 0 {
		return s.onTrailers(f, list)
	}
	status, err := http2Status(f)
	if err != nil {
		return err
	}
	if status < 200 {
		if status == 101 || f.StreamEnded() {
			return malformed("it has status %d as its last", status)
		}
		return nil
	}
	s.message.Status, s.message.Headers = status, list
	s.came(0)
	return s.endIf(f.StreamEnded())
}

func (s *http2Response) onTrailers(f *http2.MetaHeadersFrame, list []*logv1.Header) error {
	if len(f.PseudoFields()) > 0 || !f.StreamEnded() {
		return malformed("its trailers are not trailers")
	}
	s.message.Trailers = list
	return s.endIf(true)
}

func (s *http2Response) onData(f *http2.DataFrame) error {
	data := f.Data()
	switch {
	case s.message.Status == 0:
		return malformed("it has a body before its headers")
	case len(data) > 0 && s.bodiless():
		return malformed("it has a body where none can be")
	}
	if _, err := s.Write(data); err != nil {
		return err
	}
	return s.endIf(f.StreamEnded())
}

func (s *http2Response) bodiless() bool {
	return s.head || s.message.Status == 204 || s.message.Status == 304
}

// endIf checks the content-length once the stream has ended.
func (s *http2Response) endIf(ended bool) error {
	if !ended {
		return nil
	}
	s.whole = true
	list := http1Head{headers: s.message.Headers}
	if !list.has("content-length") {
		return nil
	}
	value := list.joined("content-length")
	length, err := contentLength(value)
	switch {
	case err != nil:
		return err
	case s.message.Status == 204 && value != "0":
		return malformed("it has status 204 and the content-length %s", value)
	case !s.bodiless() && length != s.octets:
		return malformed("its content-length is %s and it has %d octets", value, s.octets)
	}
	return nil
}

// http2Status allows three digits and nothing else, as Envoy does.
func http2Status(f *http2.MetaHeadersFrame) (int, error) {
	pseudo := f.PseudoFields()
	if len(pseudo) != 1 || pseudo[0].Name != ":status" {
		return 0, malformed("it has %d pseudo headers instead of :status alone", len(pseudo))
	}
	value := pseudo[0].Value
	n, err := strconv.ParseUint(value, 10, 16)
	if err != nil || n < 100 || len(value) != 3 {
		return 0, malformed("its status is %.100q", value)
	}
	return int(n), nil
}
