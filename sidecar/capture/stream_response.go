package capture

import (
	"errors"
	"slices"
	"time"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/output"
	"verbatim/sidecar/room"
)

// seen is how an answer's body is seen.
type seen int

const (
	seenWhole   seen = iota // it is shown at once, when it is there
	seenHeld                // it comes in chunks, which are held so far
	seenInParts             // each chunk is recorded
	seenOmitted             // it passes by count and digest
)

// answerStream is what there is besides of an answer that comes in chunks.
type answerStream struct {
	seen     seen
	passed   *omission                       // all octets of chunks that are recorded, or omitted
	held     []byte                          // of seenHeld
	share    *room.Share                     // of what is held
	replies  []*extprocv3.ProcessingResponse // those that chunks wait for which don't pass yet
	holdOver <-chan time.Time                // nil: nothing is held
}

// howSeen decides from an answer's headers how the rest of it is to be seen.
func (x *exchange) howSeen() seen {
	headers := x.answer.message.Headers
	length, sized := contentLength(headers)
	switch {
	case x.answer.local != nil:
		return seenWhole // Envoy has it all
	case x.server.Policy.StreamType(headers):
		return seenInParts
	case sized && (x.request.ended || !x.request.stream):
		if x.omits(length) {
			return seenOmitted
		}
		return seenWhole
	case x.request.stream, x.server.Hold == 0:
		return seenInParts
	case output.ValueOf(headers, "trailer") != "":
		// Envoy shows trailers only when no chunk waits for its reply: the end of
		// what is held would never be seen.
		return seenInParts
	}
	return seenHeld
}

// answerHead goes on to the client before its body is there, unless the answer is
// seen whole: then Envoy holds it.
func (x *exchange) answerHead(list []*logv1.Header) error {
	x.answer.seen = x.howSeen()
	x.room.Release()
	if x.answer.seen == seenWhole {
		return x.beginAnswerBody()
	}
	x.answer.passed = newOmission()
	x.backlog.begin()
	if x.answer.seen == seenHeld {
		x.answer.holdOver = time.After(x.server.Hold)
	} else {
		x.boundTurn()
	}
	x.responsePart(&logv1.ResponsePart{Headers: list}, x.withModes(continueResponseHeaders(), bodyInParts))
	return nil
}

var errSecondAnswer = errors.New("a second header list came when a part of the body had passed already")

// forgetAnswer drops what is known of an answer that another takes the place of.
func (x *exchange) forgetAnswer() error {
	if x.answer.passed != nil && x.answer.passed.octets > 0 {
		return errSecondAnswer
	}
	x.answer.takeHeld()
	return nil
}

// answerChunk records a piece of an answer's body, or holds it.
func (x *exchange) answerChunk(b *extprocv3.HttpBody) error {
	data, last, reply := b.GetBody(), b.GetEndOfStream(), continueResponseBody()
	if x.answer.seen == seenHeld {
		if last && len(x.answer.held)+len(data) <= x.server.MaxEventBytes {
			held, replies := x.answer.takeHeld()
			x.answer.message.Body = slices.Concat(held, data)
			return x.answerEnd(append(replies, reply)...)
		}
		if x.hold(data, reply) {
			return nil
		}
		x.spill()
	}
	x.answer.passed.add(data)
	switch {
	case last:
		x.answerData(data)
		return x.answerStreamEnd(reply)
	case x.clientTakesForWhole(data):
		x.answerData(data)
		x.holdEnd(reply)
	default:
		x.answerData(data, reply)
	}
	return nil
}

// answerData adds a chunk to the part before it, if that waits still.
func (x *exchange) answerData(data []byte, replies ...*extprocv3.ProcessingResponse) {
	part := x.lastEvent().GetResponsePart()
	switch {
	case len(data) == 0 || x.answer.seen == seenOmitted:
		x.steps = append(x.steps, step{replies: replies})
	case part != nil && len(part.GetHeaders()) == 0 && len(part.GetData())+len(data) <= maxPart:
		part.Data = append(part.GetData(), data...)
		for _, r := range replies {
			x.alsoReply(r)
		}
	default:
		x.responsePart(&logv1.ResponsePart{Data: data}, replies...)
	}
}

func (x *exchange) answerTrailers(trailers []*logv1.Header) error {
	x.spill()
	x.answer.message.Trailers = trailers
	return x.answerStreamEnd(continueResponseTrailers())
}

// answerStreamEnd records the outcome of an answer that came in parts.
func (x *exchange) answerStreamEnd(reply *extprocv3.ProcessingResponse) error {
	if x.answer.seen == seenOmitted {
		x.responsePart(&logv1.ResponsePart{Omitted: x.answer.passed.message()})
	}
	x.answer.message.Stream = x.answer.passed.stream()
	_, replies := x.answer.takeHeld()
	return x.answerEnd(append(replies, reply)...)
}

// answerEnd records the outcome, behind all that waits. The turn ends when the
// outcome has its place.
func (x *exchange) answerEnd(replies ...*extprocv3.ProcessingResponse) error {
	if x.phase == released {
		x.server.Metrics.WaitedForPipeline(time.Since(x.sentAt))
	}
	event, err := x.responseEvent()
	if err != nil {
		return err
	}
	x.steps = append(x.steps, step{event: event, replies: replies, placed: func() {
		x.phase = concluded
		x.endTurn()
		x.tellSeen()
	}})
	return x.settle()
}

func (x *exchange) responsePart(part *logv1.ResponsePart, replies ...*extprocv3.ProcessingResponse) {
	part.RequestOffset = x.offset
	x.steps = append(x.steps, step{
		event:   &logv1.Event{Kind: &logv1.Event_ResponsePart{ResponsePart: part}},
		replies: replies,
	})
}
