package sidecar

import (
	"context"
	"fmt"
	"strconv"

	"verbatim/sidecar/auditlog"
)

// recorded finds requests in the log by their clock and seed.
type recorded struct {
	log        *auditlog.Log
	seedHeader string
}

// holds says whether the log has a request with this clock and seed. It is asked
// only for requests that bring both headers, which clients have no reason to
// send. When the log can't be read the answer is an error, never no.
func (r *recorded) holds(clockMS, seed uint64) (bool, error) {
	found, err := r.find(clockMS, strconv.FormatUint(seed, 10))
	if err != nil {
		return false, fmt.Errorf("look for a replayed request: %w", err)
	}
	return found, nil
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
