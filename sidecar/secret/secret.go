// Package secret keeps the values of headers that carry credentials out of what
// people and programs are shown. The log itself holds them: it records what the
// pipeline received.
package secret

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"

	logv1 "verbatim/proto/verbatim/log/v1"
)

var names = map[string]bool{
	"authorization": true, "proxy-authorization": true, "cookie": true, "set-cookie": true,
	"x-api-key": true, "x-auth-token": true, "x-amz-security-token": true, "x-forwarded-client-cert": true,
}

// Header says whether values of this header are secret. Case does not matter.
func Header(name string) bool { return names[strings.ToLower(name)] }

// Shown is the value, quoted where it is no UTF-8, or for a secret one a word in its
// place. It is no digest: a short secret can be found from that.
func Shown(name string, value []byte) string {
	switch {
	case Header(name):
		return hidden
	case !utf8.Valid(value):
		return strconv.Quote(string(value))
	}
	return string(value)
}

const hidden = "[hidden]"

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
		if Header(string(h.GetName())) {
			h.Value = []byte(hidden)
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
		if Header(string(h.GetName())) {
			h.Value = []byte(hidden)
			n++
		}
	}
	return n
}
