package policy

import (
	"errors"
	"fmt"
	"mime"
	"slices"
	"strings"

	"github.com/google/cel-go/common/types"

	logv1 "verbatim/proto/verbatim/log/v1"
)

// Stream reports whether a request is one of a stream: what may never be whole,
// or talks both ways. It looks at the headers alone. A request on which the
// expression fails is one if its content type says so.
func (p *Policy) Stream(headers []*logv1.Header) bool {
	if p.StreamType(headers) {
		return true
	}
	if p.stream == nil {
		return false
	}
	val, err := p.stream.eval(&variables{request: Request{Headers: headers}})
	return err == nil && val == types.True
}

// StreamType reports whether a message, a request or an answer, has the content
// type of a stream.
func (p *Policy) StreamType(headers []*logv1.Header) bool {
	for _, h := range headers {
		if strings.EqualFold(string(h.GetName()), "content-type") {
			return p.isStreamType(string(h.GetValue()))
		}
	}
	return false
}

func (p *Policy) isStreamType(value string) bool {
	media, _, _ := strings.Cut(value, ";")
	media = strings.ToLower(strings.TrimSpace(media))
	return slices.ContainsFunc(p.types, func(t string) bool {
		prefix, open := strings.CutSuffix(t, "*")
		return media == t || open && strings.HasPrefix(media, prefix)
	})
}

// streamTypes are the types in lower case, sorted, each once.
func streamTypes(list []string) ([]string, error) {
	out := make([]string, 0, len(list))
	for _, t := range list {
		if err := checkType(t); err != nil {
			return nil, fmt.Errorf("stream.types: %q: %w", t, err)
		}
		out = append(out, strings.ToLower(t))
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

var errType = errors.New(`a content type is needed, such as text/event-stream or application/grpc*`)

func checkType(t string) error {
	// A "*" at the end stands for any rest, also for none.
	media, params, err := mime.ParseMediaType(strings.TrimSuffix(t, "*") + strings.Repeat("x", strings.Count(t, "*")))
	if err != nil || len(params) > 0 || strings.Count(t, "*") > 1 || !strings.Contains(media, "/") {
		return errType
	}
	return nil
}
