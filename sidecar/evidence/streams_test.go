package evidence

import (
	"strings"
	"testing"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/output"
)

// stream is an exchange in parts: its request's offset and its outcome's.
func (p *place) stream(parts ...*logv1.Event) (request, outcome uint64) {
	p.t.Helper()
	request = p.append(&logv1.Event{Kind: &logv1.Event_Request{Request: &logv1.Request{MeterIds: []string{"m1"}, HasBody: true, Stream: true}}})
	for _, ev := range parts {
		if k := ev.GetRequestPart(); k != nil {
			k.RequestOffset = request
		}
		if k := ev.GetResponsePart(); k != nil {
			k.RequestOffset = request
		}
		p.append(ev)
	}
	c := must(output.Canonical(output.Message{Status: 200, Stream: output.StreamOf([]byte("onetwo"))}, output.DefaultIgnorePolicy()))(p.t)
	return request, p.append(&logv1.Event{Kind: &logv1.Event_Response{Response: &logv1.Response{RequestOffset: request, Output: c.Output}}})
}

func sent(part *logv1.RequestPart) *logv1.Event {
	return &logv1.Event{Kind: &logv1.Event_RequestPart{RequestPart: part}}
}

func got(part *logv1.ResponsePart) *logv1.Event {
	return &logv1.Event{Kind: &logv1.Event_ResponsePart{ResponsePart: part}}
}

func TestAStreamIsProvedWhole(t *testing.T) {
	p := newPlace(t, nil)
	one, two := got(&logv1.ResponsePart{Data: []byte("one")}), got(&logv1.ResponsePart{Data: []byte("two")})
	_, whole := p.stream(sent(&logv1.RequestPart{Data: []byte("q"), Last: true}), got(&logv1.ResponsePart{Headers: []*logv1.Header{field(":status", "200")}}), one, two)
	digest := output.StreamOf([]byte("onetwo"))
	omitted := got(&logv1.ResponsePart{Omitted: &logv1.Omitted{Octets: digest.Octets, Sha256: digest.SHA256[:]}})
	_, notKept := p.stream(sent(&logv1.RequestPart{Omitted: &logv1.Omitted{Octets: 7, Sha256: digest.SHA256[:]}, Last: true}), omitted)
	_, early := p.stream(one, two)
	_, others := p.stream(got(&logv1.ResponsePart{Omitted: &logv1.Omitted{Octets: 1, Sha256: digest.SHA256[:]}}))
	_, less := p.stream(one)
	p.seal()

	wantSteps(t, p.prove(whole, Options{}).Check(Trusted{}), Sealed, map[State][]string{Proven: {"are the whole stream of the response", "a stream of 6 octets", "a body that follows in parts"}})
	wantSteps(t, p.prove(notKept, Options{}).Check(Trusted{}), Sealed, map[State][]string{Missing: {"was not kept: it had 7 octets", "was not kept: it had 6 octets"}})
	wantSteps(t, p.prove(early, Options{}).Check(Trusted{}), Sealed, map[State][]string{Missing: {"The last part of request"}})

	// What is not the stream of the response is not proved: it checks itself.
	for _, offset := range []uint64{others, less} {
		if _, err := p.try(offset, Options{}); err == nil || !strings.Contains(err.Error(), "The response at") {
			t.Errorf("parts that are not the stream: %v", err)
		}
	}
}
