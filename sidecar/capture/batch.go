package capture

import (
	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
)

// step is an entry to be made, and the replies that wait until it is durable.
type step struct {
	event   *logv1.Event // nil: the replies wait for the steps before alone
	replies []*extprocv3.ProcessingResponse
	placed  func() // called once the entry has its place; may be nil
}

// next handles what is there, or waits for it; more is false once Envoy has ended
// the stream. What is there at one moment is recorded in one go.
func (x *exchange) next() (more bool, err error) {
	select {
	case m, ok := <-x.messages:
		if !ok {
			return false, nil
		}
		err = x.handle(m)
	case <-x.answer.holdOver:
		x.stopHolding()
	case <-x.turnOver:
		x.turnIsOver()
	case <-x.gather.due():
		err = x.gatherMore()
	}
	// Before the request is let through, what comes can take its turn away: it has
	// to be found in the channel then.
	for n := 1; err == nil && n < maxAhead && x.phase == released; n++ {
		select {
		case m, ok := <-x.messages:
			if !ok {
				return true, x.settle() // the closed channel is seen again
			}
			err = x.handle(m)
			continue
		default:
		}
		break
	}
	if err != nil {
		return true, err
	}
	return true, x.settle()
}

// settle makes the entries of all steps and sends each one's replies, in order,
// when it is durable.
func (x *exchange) settle() error {
	if len(x.steps) == 0 {
		x.backlog.recorded()
		return nil
	}
	steps := x.steps
	x.steps = nil
	pending, err := x.appendSteps(steps)
	if err != nil {
		return err
	}
	for i, s := range steps {
		if pending[i] != nil {
			_, err := x.durable(pending[i])
			if err != nil && x.phase != passed {
				err = x.partNotRecorded(err)
			} else {
				err = nil
			}
			if err != nil || x.phase == overturned {
				return err
			}
		}
		for _, r := range s.replies {
			if err := x.send(r); err != nil {
				return err
			}
		}
	}
	return x.settle() // what was held, when failing open
}

// appendSteps gives the steps' entries their places; a step without one has nil.
func (x *exchange) appendSteps(steps []step) ([]*auditlog.Pending, error) {
	drafts := make([]auditlog.Draft, 0, len(steps))
	for _, s := range steps {
		if s.event == nil {
			continue
		}
		d, err := auditlog.NewDraft(s.event)
		if err != nil {
			return nil, err
		}
		drafts = append(drafts, d)
	}
	placed := x.server.Log.AppendAll(drafts)
	list := make([]*auditlog.Pending, len(steps))
	for i, s := range steps {
		if s.event != nil {
			list[i], placed = placed[0], placed[1:]
		}
		if s.placed != nil {
			s.placed()
		}
	}
	return list, nil
}

// partNotRecorded cuts the stream, or lets the rest of it pass when failing open.
func (x *exchange) partNotRecorded(err error) error {
	if !x.server.failsOpen() {
		// Of an answer that has begun Envoy can't make another: it resets it.
		return x.refuse("not-writable", "a part of the stream could not be recorded: "+x.sentence(err))
	}
	x.server.Losses.Add("sidecar", "a part of a stream could not be recorded, and the rest of it passed: fail open")
	_, replies := x.answer.takeHeld()
	x.steps = append(x.steps, step{replies: replies})
	x.close(logv1.AbortCause_ABORT_CAUSE_REFUSED, "a part of the stream could not be recorded, and the rest of it passed")
	x.phase = passed
	return nil
}

// reply sends r behind the replies that wait already.
func (x *exchange) reply(r *extprocv3.ProcessingResponse) {
	x.steps = append(x.steps, step{replies: []*extprocv3.ProcessingResponse{r}})
}

// lastEvent is the entry that a further chunk may be added to; nil: none.
func (x *exchange) lastEvent() *logv1.Event {
	if len(x.steps) == 0 {
		return nil
	}
	return x.steps[len(x.steps)-1].event
}

// alsoReply adds a reply to the last step.
func (x *exchange) alsoReply(r *extprocv3.ProcessingResponse) {
	s := &x.steps[len(x.steps)-1]
	s.replies = append(s.replies, r)
}

// maxPart is where chunks that come together are not joined any more, in octets.
const maxPart = 1 << 20
