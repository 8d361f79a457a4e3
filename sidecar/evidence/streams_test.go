package evidence

import (
	"slices"
	"strings"
	"testing"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/output"
)

// stream is an exchange in parts: its request's offset and its outcome's.
func (p *place) stream(parts ...*logv1.Event) (request, outcome uint64) {
	p.t.Helper()
	return p.streamOf(nil, parts...)
}

// streamOf is a stream with headers of its request.
func (p *place) streamOf(headers []*logv1.Header, parts ...*logv1.Event) (request, outcome uint64) {
	p.t.Helper()
	request = p.append(&logv1.Event{Kind: &logv1.Event_Request{Request: &logv1.Request{MeterIds: []string{"m1"}, HasBody: true, Stream: true, Headers: headers}}})
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

// A log says of no request how many parts it had. Its own length does.
func TestAPartOfARequestThatIsKeptBack(t *testing.T) {
	p := newPlace(t, nil)
	answer := got(&logv1.ResponsePart{Data: []byte("onetwo")})
	parts := []*logv1.Event{sent(&logv1.RequestPart{Data: []byte("ab")}), sent(&logv1.RequestPart{Data: []byte("cd")}), sent(&logv1.RequestPart{Data: []byte("e"), Last: true}), answer}
	_, said := p.streamOf([]*logv1.Header{field("Content-Length", "5")}, parts...)
	_, unsaid := p.stream(parts...)
	p.seal()

	whole, untold := p.prove(said, Options{}), p.prove(unsaid, Options{})
	wantSteps(t, whole.Check(Trusted{}), Sealed, map[State][]string{Proven: {"it says that it has 5 octets"}})
	wantSteps(t, untold.Check(Trusted{}), Sealed, map[State][]string{Missing: {"a part between those in this file may be kept back"}})
	for _, f := range []*File{whole, untold} {
		f.parts = slices.Delete(f.parts, 1, 2)
	}
	if r := whole.Check(Trusted{}); len(r.Findings()) != 1 || !strings.Contains(r.Findings()[0].Text, "says that it has 5 octets, and its parts in this file have 3") {
		t.Errorf("a part is kept back: %+v", r)
	}
	wantSteps(t, untold.Check(Trusted{}), Sealed, map[State][]string{Missing: {"a part between those in this file may be kept back"}})
}
