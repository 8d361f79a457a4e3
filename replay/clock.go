package replay

import (
	"fmt"
	"slices"
	"strconv"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/replay/target"
)

// clockHeader carries an event's time unless the recording named another header.
const clockHeader = "x-verbatim-clock-ms"

// Clock is what the target takes for the time.
type Clock interface {
	// Set returns after every later look at the clock gives a time, in milliseconds
	// since the Unix epoch.
	Set(ms uint64) error
}

// setClock makes the target see the time that the recorded pipeline was told.
func (r *run) setClock(x *exchange, request *target.Request) error {
	if r.options.Clock == nil {
		return nil
	}
	if err := r.options.Clock.Set(toldTime(request.Headers, x.clockMS)); err != nil {
		return fmt.Errorf("replay: at request %d: %w", x.offset, err)
	}
	return nil
}

// toldTime is the recorded clock header's value; entryMS, the entry's own clock,
// where there is none or it is no number.
func toldTime(headers []*logv1.Header, entryMS uint64) uint64 {
	at := slices.IndexFunc(headers, func(h *logv1.Header) bool { return string(h.GetName()) == clockHeader })
	if at < 0 {
		return entryMS
	}
	ms, err := strconv.ParseUint(string(headers[at].GetValue()), 10, 64)
	if err != nil {
		return entryMS
	}
	return ms
}
