package query

import (
	"errors"
	"fmt"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
)

// Meters says which meters the entries of a view belong to: an answer is its
// request's, and nobody's if that is pruned. It is not safe for use by several goroutines.
type Meters struct {
	view    *auditlog.View
	seen    map[uint64][]string
	summary auditlog.Summary
}

// NewMeters needs the view as long as it is used.
func NewMeters(v *auditlog.View) *Meters { return &Meters{view: v, seen: map[uint64][]string{}} }

// maxSeen bounds what is remembered of requests.
const maxSeen = 4096

// Of returns the meters of the event at an offset. The caller must not change them.
func (m *Meters) Of(offset uint64, ev *logv1.Event) ([]string, error) {
	var request uint64
	switch k := ev.GetKind().(type) {
	case *logv1.Event_Request:
		m.keep(offset, k.Request.GetMeterIds())
		return k.Request.GetMeterIds(), nil
	case *logv1.Event_Response:
		request = k.Response.GetRequestOffset()
	case *logv1.Event_Abort:
		request = k.Abort.GetRequestOffset()
	case *logv1.Event_RequestPart:
		request = k.RequestPart.GetRequestOffset()
	case *logv1.Event_ResponsePart:
		request = k.ResponsePart.GetRequestOffset()
	default:
		return nil, nil
	}
	if ids, ok := m.seen[request]; ok {
		return ids, nil
	}
	e, err := m.view.Entry(request)
	if errors.Is(err, auditlog.ErrPruned) {
		m.keep(request, nil)
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("find meters of entry %d: %w", offset, err)
	}
	if err := m.summary.Summarize(e.Raw); err != nil {
		return nil, fmt.Errorf("find meters of entry %d: %w", offset, err)
	}
	var ids []string
	for _, id := range m.summary.Meters {
		ids = append(ids, string(id))
	}
	m.keep(request, ids)
	return ids, nil
}

func (m *Meters) keep(request uint64, ids []string) {
	if len(m.seen) >= maxSeen {
		clear(m.seen)
	}
	m.seen[request] = ids
}
