package replay

import (
	"fmt"
	"slices"
	"strconv"

	auditv1 "verbatim/proto/verbatim/audit/v1"
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

// warnOfClocks says when the target has its time from elsewhere than what answered
// then. One sentence is enough for each way, and nothing is said of what is not known.
func (r *run) warnOfClocks() {
	at := func(clock logv1.PipelineClock) *auditv1.StartInRange {
		i := slices.IndexFunc(r.plan.starts, func(s *auditv1.StartInRange) bool { return s.GetPipelineClock() == clock })
		if i < 0 {
			return nil
		}
		return r.plan.starts[i]
	}
	frozen, system := at(logv1.PipelineClock_PIPELINE_CLOCK_FROZEN), at(logv1.PipelineClock_PIPELINE_CLOCK_SYSTEM)
	switch {
	case frozen != nil && r.options.Clock == nil:
		r.response.Warnings = append(r.response.Warnings, fmt.Sprintf(
			"recorded from offset %d on under a frozen clock, replayed without one: what the pipeline reads from the clock differs", frozen.GetOffset()))
	case system != nil && r.options.Clock != nil:
		r.response.Warnings = append(r.response.Warnings, fmt.Sprintf(
			"recorded from offset %d on under the system's clock, replayed under a frozen one: what the pipeline read from the clock can differ by the time that a request was on its way", system.GetOffset()))
	}
}
