package target

import (
	"errors"
	"fmt"
	"iter"

	logv1 "verbatim/proto/verbatim/log/v1"
)

// Part is a piece of a request that is sent as the answer comes.
type Part struct {
	// Offset names the part in errors, as the log does.
	Offset uint64
	// After is how many octets of the answer's body are received before the part
	// is sent.
	After uint64
	// Data is valid until the next part is asked for.
	Data []byte
	// Trailers of the last part, in order.
	Trailers []*logv1.Header
	// Last says that the request ends with this part.
	Last bool
}

// Parts are the parts of one request in order. Each iteration begins with the
// first again: a request that the server did not process is sent a second time.
// An error ends the request, see ErrParts.
type Parts = iter.Seq2[Part, error]

// errNoLast: whoever gave the parts did not say how the request ends.
var errNoLast = errors.New("the last part is missing")

// parts are the request's, checked; a body that is there whole is one part.
func (r *Request) parts() Parts {
	if r.Parts == nil {
		return func(yield func(Part, error) bool) {
			yield(Part{Data: r.Body, Trailers: r.Trailers, Last: true}, nil)
		}
	}
	return func(yield func(Part, error) bool) {
		for part, err := range r.Parts {
			if err != nil {
				err = fmt.Errorf("%w: %w", ErrParts, err)
			}
			for _, h := range part.Trailers {
				if err == nil {
					err = checkField(h)
				}
			}
			if !yield(part, err) || err != nil || part.Last {
				return
			}
		}
		if r.BreakOff == nil {
			yield(Part{}, fmt.Errorf("%w: %w", ErrParts, errNoLast))
		}
	}
}

// OrderError is ErrOrder with the part that could not be sent. It is ErrTimeout too.
type OrderError struct {
	// Part is the Offset of the part.
	Part uint64
	// After are the octets that it waited for, Received those that came.
	After, Received uint64
	timeout         error
}

func (e *OrderError) Error() string {
	return fmt.Sprintf("the part of the request at %d was sent when %d octets of the answer had come, now only %d came: %v",
		e.Part, e.After, e.Received, e.timeout)
}

// Unwrap makes it ErrOrder and what ended the wait.
func (e *OrderError) Unwrap() []error { return []error{ErrOrder, e.timeout} }

// failedAt names the part that waited when the exchange failed; nil: none did.
func failedAt(waiting *Part, received uint64, err error) error {
	if waiting == nil || !errors.Is(err, ErrTimeout) {
		return err
	}
	return &OrderError{Part: waiting.Offset, After: waiting.After, Received: received, timeout: err}
}
