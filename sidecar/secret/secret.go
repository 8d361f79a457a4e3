// Package secret keeps the values of headers, and of URLs' parameters, that carry
// credentials out of what people and programs are shown. It knows them by their names;
// of bodies it knows nothing. The log itself holds them: it records what the pipeline
// received.
package secret

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"

	logv1 "verbatim/proto/verbatim/log/v1"
)

const hidden = "[hidden]"

// Shown is a header's value, quoted where it is no UTF-8, with a word in the place of
// what is secret of it. It is no digest: a short secret can be found from that. hides
// says that something is.
func Shown(name string, value []byte) (text string, hides bool) {
	text, hides = shown(name, string(value))
	if !utf8.ValidString(text) {
		text = strconv.Quote(text)
	}
	return text, hides
}

func shown(name, value string) (text string, hides bool) {
	switch {
	case Header(name):
		return hidden, true
	case targets[strings.ToLower(name)]:
		text = Target(value)
		return text, text != value
	}
	return value, false
}

// Redacted is a copy of the event whose secret header values are hidden.
func Redacted(ev *logv1.Event) *logv1.Event {
	c := proto.CloneOf(ev)
	switch k := c.GetKind().(type) {
	case *logv1.Event_Request:
		hide(k.Request.GetHeaders())
		hide(k.Request.GetTrailers())
	case *logv1.Event_RequestPart:
		hide(k.RequestPart.GetTrailers())
	case *logv1.Event_ResponsePart:
		hide(k.ResponsePart.GetHeaders())
	case *logv1.Event_Response:
		redactResponse(k.Response)
	}
	return c
}

// redactResponse hides values in the output, too: what is left can't be hashed.
func redactResponse(r *logv1.Response) {
	for _, h := range r.GetIgnoredHeaders() {
		if text, hides := shown(string(h.GetName()), string(h.GetValue())); hides {
			h.Value = []byte(text)
		}
	}
	var out logv1.Output
	if proto.Unmarshal(r.GetOutput(), &out) != nil {
		return
	}
	if hide(out.GetHeaders())+hide(out.GetTrailers()) == 0 {
		return
	}
	if b, err := proto.Marshal(&out); err == nil {
		r.Output = b
	}
}

// hide replaces secret values and counts them.
func hide(list []*logv1.Header) int {
	n := 0
	for _, h := range list {
		if text, hides := shown(string(h.GetName()), string(h.GetValue())); hides {
			h.Value = []byte(text)
			n++
		}
	}
	return n
}
