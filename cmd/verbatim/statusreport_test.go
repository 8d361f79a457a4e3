package main

import (
	"encoding/json"
	"strings"
	"testing"

	anchorv1 "verbatim/proto/verbatim/anchor/v1"
	auditv1 "verbatim/proto/verbatim/audit/v1"
	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/anchor"
	"verbatim/sidecar/auditlog"
)

// A clock can be set to what RFC 3339 has no form for: what else is known is told.
func TestATimeThatJSONHasNot(t *testing.T) {
	for ms, has := range map[uint64]bool{253402300799999: true, 253402300800000: false, 1 << 63: false, ^uint64(0): true} {
		var out, anchored strings.Builder
		s := newStatusReport(&auditv1.GetStatusResponse{
			NewestCheckpoint: &auditv1.CheckpointStatus{CheckpointId: 7, WallClockMs: ms},
			Losses:           &auditv1.Losses{Recorded: []*auditv1.Loss{{Exchanges: 3, SinceMs: ms, UntilMs: ms}}},
		}, true)
		if err := s.write(&out, true); err != nil || strings.Contains(out.String(), "sealed_at") != has || !strings.Contains(out.String(), `"exchanges":3`) {
			t.Errorf("%d ms: %s, %v", ms, out.String(), err)
		}
		a := newAnchorStatus(&logv1.Anchor{}, &anchor.Progress{Newest: &anchorv1.Receipt{}, Pending: []auditlog.CheckpointAt{{ClockMS: ms}}})
		if err := json.NewEncoder(&anchored).Encode(a); err != nil || strings.Contains(anchored.String(), "pending_since") != has {
			t.Errorf("%d ms: %s, %v", ms, anchored.String(), err)
		}
	}
}
