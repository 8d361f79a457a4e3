package capture

import (
	"crypto/sha256"
	"fmt"
	"hash"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"google.golang.org/protobuf/types/known/structpb"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/output"
)

// observedAnswer is what came of an answer so far.
type observedAnswer struct {
	answer
	head   []*logv1.Header // as Envoy showed it
	parts  bool            // it is recorded in parts
	octets uint64
	digest hash.Hash
	// concluded: its Response has its place, or was refused by the log.
	concluded bool
}

func (x *observation) responseHeaders(h *extprocv3.HttpHeaders, attrs map[string]*structpb.Struct) error {
	if x.stage != coming || x.answer.begun {
		return nil
	}
	if isInterim(h) {
		x.answer.interim.add(attrs)
		return nil
	}
	attrs = x.answer.interim.or(attrs)
	if !x.request.recorded {
		// It is answered before it is whole.
		if err := x.requestInParts(); err != nil || x.stage != coming {
			return err
		}
	}
	x.answer.begun, x.answer.head = true, headerList(h.GetHeaders())
	x.answer.local = localReply(attrs)
	x.answer.upstream = text(attribute(attrs, "upstream.address"))
	x.answer.attempts = uint32(number(attribute(attrs, "upstream.request_attempt_count")))
	if x.answer.local.GetDelivered() == notDelivered {
		x.tell(-1) // Envoy's counter of what the pipeline got doesn't have it
	}
	var err error
	if x.answer.message.Status, x.answer.message.Headers, err = output.SplitStatus(x.answer.head); err != nil {
		return fmt.Errorf("read response to %d: %w", x.offset, err)
	}
	if h.GetEndOfStream() {
		return x.answerWhole()
	}
	if x.request.parts {
		return x.answerInParts()
	}
	return nil
}

func (x *observation) responseBody(b *extprocv3.HttpBody) error {
	if x.stage != coming || !x.answer.begun {
		return nil
	}
	if !x.answer.parts && len(x.answer.message.Body)+len(b.GetBody()) > x.server.MaxEventBytes {
		if err := x.answerInParts(); err != nil {
			return err
		}
	}
	if err := x.answerData(b.GetBody()); err != nil {
		return err
	}
	if b.GetEndOfStream() {
		return x.answerWhole()
	}
	return nil
}

// answerData holds octets of the answer, or records them.
func (x *observation) answerData(data []byte) error {
	switch {
	case len(data) == 0:
		return nil
	case x.answer.parts:
		return x.answerPart(nil, data)
	}
	if err := x.hold(len(data)); err != nil {
		return err
	}
	x.answer.message.Body = append(x.answer.message.Body, data...)
	return nil
}

func (x *observation) responseTrailers(trailers []*logv1.Header) error {
	if x.stage != coming || !x.answer.begun {
		return nil
	}
	x.answer.message.Trailers = trailers
	return x.answerWhole()
}

// answerInParts records the head, and what came of the body.
func (x *observation) answerInParts() error {
	if x.answer.parts {
		return nil
	}
	body := x.answer.message.Body
	x.answer.parts, x.answer.digest, x.answer.message.Body = true, sha256.New(), nil
	if err := x.answerPart(x.answer.head, body); err != nil {
		return err
	}
	x.giveBack()
	return nil
}

func (x *observation) answerPart(head []*logv1.Header, data []byte) error {
	x.answer.octets += uint64(len(data))
	x.answer.digest.Write(data)
	err := x.append(&logv1.Event{Kind: &logv1.Event_ResponsePart{ResponsePart: &logv1.ResponsePart{
		RequestOffset: x.offset, Headers: head, Data: data,
	}}})
	return err
}

// answerWhole records the outcome.
func (x *observation) answerWhole() error {
	if x.answer.parts {
		x.answer.message.Stream = &output.Stream{Octets: x.answer.octets, SHA256: [sha256.Size]byte(x.answer.digest.Sum(nil))}
	}
	event, err := x.answer.event(x.offset, x.request.headers, x.server.Ignore)
	if err != nil {
		return err
	}
	if x.server.Seen != nil {
		x.server.Seen(x.answer.upstream, x.request.listener)
	}
	x.answer.concluded = true
	if err := x.append(event); err != nil {
		return err
	}
	x.settle()
	return nil
}
