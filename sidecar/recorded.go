package sidecar

import (
	"context"
	"log/slog"
	"strconv"

	"verbatim/sidecar/auditlog"
)

// recorded finds requests in the log by their clock and seed.
type recorded struct {
	log        *auditlog.Log
	seedHeader string
	logger     *slog.Logger
}

// holds says whether the log has a request with this clock and seed. It is asked
// only for requests that bring both headers, which clients have no reason to
// send. A log that can't be read answers no: nothing can be recorded then either.
func (r *recorded) holds(clockMS, seed uint64) bool {
	found, err := r.find(clockMS, strconv.FormatUint(seed, 10))
	if err != nil {
		r.logger.Warn("could not look for a replayed request", "err", err)
	}
	return found
}

func (r *recorded) find(clockMS uint64, seed string) (bool, error) {
	v, err := r.log.View()
	if err != nil {
		return false, err
	}
	defer v.Close()
	from, err := v.OffsetAt(clockMS)
	if err != nil {
		return false, err
	}
	for e, err := range v.Entries(context.Background(), from, v.Tip().Offset) {
		if err != nil {
			return false, err
		}
		ev, err := e.Event()
		if err != nil || ev.GetWallClockMs() != clockMS {
			return false, err
		}
		for _, h := range ev.GetRequest().GetHeaders() {
			if string(h.GetName()) == r.seedHeader && string(h.GetValue()) == seed {
				return true, nil
			}
		}
	}
	return false, nil
}
