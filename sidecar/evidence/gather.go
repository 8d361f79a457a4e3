package evidence

import (
	"context"
	"fmt"

	"verbatim/sidecar/auditlog"
)

// gather reads the genesis and the entries of an exchange, ascending.
func gather(ctx context.Context, v *auditlog.View, offset uint64) ([]auditlog.Entry, error) {
	genesis, err := v.Entry(0)
	if err != nil {
		return nil, err
	}
	if offset == 0 {
		return []auditlog.Entry{genesis}, nil
	}
	e, err := v.Entry(offset)
	if err != nil {
		return nil, err
	}
	var s auditlog.Summary
	if err := s.Summarize(e.Raw); err != nil {
		return nil, fmt.Errorf("%w: entry %d: %w", auditlog.ErrDamaged, offset, err)
	}
	switch s.Kind {
	case auditlog.KindRequest:
		return exchangeOf(ctx, v, []auditlog.Entry{genesis, e}, offset, s.Meters)
	case auditlog.KindResponse, auditlog.KindAbort, auditlog.KindRequestPart, auditlog.KindResponsePart:
		return exchangeWith(ctx, v, genesis, s.RequestOffset)
	}
	return []auditlog.Entry{genesis, e}, nil
}

// exchangeWith is the one whose request is at an offset, or what a cut left of it.
func exchangeWith(ctx context.Context, v *auditlog.View, genesis auditlog.Entry, request uint64) ([]auditlog.Entry, error) {
	if request < v.First() {
		return exchangeOf(ctx, v, []auditlog.Entry{genesis}, request, nil)
	}
	e, err := v.Entry(request)
	if err != nil {
		return nil, err
	}
	var s auditlog.Summary
	if err := s.Summarize(e.Raw); err != nil || s.Kind != auditlog.KindRequest {
		return nil, fmt.Errorf("%w: entry %d is named as a request, and is a %s", auditlog.ErrDamaged, request, s.Kind)
	}
	return exchangeOf(ctx, v, []auditlog.Entry{genesis, e}, request, s.Meters)
}

// exchangeOf adds the parts and the outcome of a request, as far as the log has them.
func exchangeOf(ctx context.Context, v *auditlog.View, list []auditlog.Entry, request uint64, meters [][]byte) ([]auditlog.Entry, error) {
	look := auditlog.Lookup{From: max(request+1, v.First()), To: v.Tip().Offset, AllOf: [][]auditlog.Term{{
		auditlog.KindTerm(auditlog.KindRequestPart), auditlog.KindTerm(auditlog.KindResponsePart),
		auditlog.KindTerm(auditlog.KindResponse), auditlog.KindTerm(auditlog.KindAbort),
	}}}
	if len(meters) > 0 { // an outcome has its request's
		look.AllOf = append(look.AllOf, []auditlog.Term{auditlog.MeterTerm(string(meters[0]))})
	}
	var s auditlog.Summary
	for offset, err := range v.Find(ctx, look) {
		if err != nil {
			return nil, err
		}
		e, err := v.Entry(offset)
		if err != nil {
			return nil, err
		}
		if err := s.Summarize(e.Raw); err != nil {
			return nil, fmt.Errorf("%w: entry %d: %w", auditlog.ErrDamaged, offset, err)
		}
		if s.RequestOffset != request {
			continue
		}
		list = append(list, e)
		if s.Outcome() {
			break
		}
	}
	return list, nil
}
