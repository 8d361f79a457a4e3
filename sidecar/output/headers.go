package output

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	logv1 "verbatim/proto/verbatim/log/v1"
)

// field is one line of a canonical list. It may share memory with a Message.
type field struct{ name, value []byte }

// hopByHop are the fields that are meant for one connection (RFC 9110 7.6.1).
// Those that a "connection" header names are not: Envoy passes them on, so the
// client sees them, and a pipeline could hide anything by naming it there.
var hopByHop = nameSet(
	"connection", "keep-alive", "proxy-connection", "te", "transfer-encoding", "upgrade",
)

// joinedHeaders are the names whose values Envoy joins with "," in the first
// one's place, an empty value adding nothing. They are the inline headers of its
// response header map: those of envoy/http/header_map.h (INLINE_RESP_HEADERS,
// INLINE_REQ_RESP_HEADERS, INLINE_RESP_HEADERS_TRAILERS) and those that its
// extensions register (RegisterCustomInlineHeader: compressor, cors, cache and
// others). The second kind depends on what is linked into an Envoy; this is the
// list of the release build 1.40.0, found by sending it every name twice.
//
// The hop-by-hop fields among them are left out anyway. "content-length" and
// "transfer-encoding" are joined too, but Envoy then refuses the response.
var joinedHeaders = nameSet(
	"content-type", "date", "grpc-message", "grpc-status", "location", "proxy-status",
	"server", "via", "x-request-id",
	"x-envoy-attempt-count", "x-envoy-decorator-operation", "x-envoy-degraded",
	"x-envoy-immediate-health-check-fail", "x-envoy-ratelimited", "x-envoy-upstream-canary",
	"x-envoy-upstream-healthchecked-cluster", "x-envoy-upstream-service-time",
	"access-control-allow-credentials", "access-control-allow-headers",
	"access-control-allow-methods", "access-control-allow-origin",
	"access-control-allow-private-network", "access-control-expose-headers",
	"access-control-max-age", "age", "cache-control", "content-encoding", "etag", "expires",
	"last-modified", "vary",
)

// joinedTrailers is the same for trailers.
var joinedTrailers = nameSet("grpc-message", "grpc-status")

// names maps each name of a set to its index in it.
type names map[string]int

func nameSet(list ...string) names {
	set := make(names, len(list))
	for i, n := range list {
		set[n] = i
	}
	return set
}

func (s names) has(name []byte) bool {
	_, ok := s[string(name)]
	return ok
}

// canonicalList is list in canonical form before the ignore policy.
func canonicalList(list []*logv1.Header, joined *names) ([]field, error) {
	if len(list) == 0 {
		return nil, nil
	}
	out := make([]field, 0, len(list))
	var places []int // of each joined name in out, plus one
	for _, h := range list {
		if len(h.GetName()) == 0 || h.GetName()[0] == ':' {
			return nil, fmt.Errorf("%w: %q", ErrName, h.GetName())
		}
		f := field{name: lower(h.GetName()), value: trim(h.GetValue())}
		if hopByHop.has(f.name) {
			continue
		}
		if i, ok := (*joined)[string(f.name)]; ok {
			if places == nil {
				places = make([]int, len(*joined))
			}
			if at := places[i]; at > 0 {
				out[at-1].value = join(out[at-1].value, f.value)
				continue
			}
			places[i] = len(out) + 1
		}
		out = append(out, f)
	}
	return out, nil
}

func without(list []field, name string) []field {
	return slices.DeleteFunc(list, func(f field) bool { return string(f.name) == name })
}

// join never writes to a's memory, which may be a Message's.
func join(a, b []byte) []byte {
	switch {
	case len(b) == 0:
		return a
	case len(a) == 0:
		return b
	}
	return slices.Concat(a, []byte(","), b)
}

// ValueOf is the first value of a name, in any case, or empty.
func ValueOf(headers []*logv1.Header, name string) string {
	for _, h := range headers {
		if strings.EqualFold(string(h.GetName()), name) {
			return string(h.GetValue())
		}
	}
	return ""
}

// trim removes optional white space (RFC 9110 5.6.3) around a value.
func trim(value []byte) []byte { return bytes.Trim(value, " \t") }

// lower returns name itself where it has no capital letter of ASCII.
func lower(name []byte) []byte {
	first := slices.IndexFunc(name, isUpper)
	if first < 0 {
		return name
	}
	name = bytes.Clone(name)
	for i := first; i < len(name); i++ {
		if isUpper(name[i]) {
			name[i] += 'a' - 'A'
		}
	}
	return name
}

func isUpper(c byte) bool { return 'A' <= c && c <= 'Z' }
