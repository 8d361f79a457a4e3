package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	auditv1 "verbatim/proto/verbatim/audit/v1"
)

// TestOverlapIsCalledWhatItIs: exact, or approximate, in text and in JSON.
func TestOverlapIsCalledWhatItIs(t *testing.T) {
	exact := &auditv1.AuditReplayResponse{OverlappingPairs: 2, Divergence: &auditv1.Divergence{Overlapping: []uint64{7, 9}}}
	roughly := &auditv1.AuditReplayResponse{OverlappingPairs: 2, OverlapApproximate: true, Divergence: &auditv1.Divergence{
		Overlapping: []uint64{7, 9}, OverlappingApproximate: true,
	}}
	for name, c := range map[string]struct {
		verdict *auditv1.AuditReplayResponse
		lines   []string
		json    bool
	}{
		"exact": {exact, []string{
			"overlap          2 pairs of requests were in the pipeline at the same time when recorded\n", "  overlapped by  requests [7 9]\n",
		}, false},
		"approximate": {roughly, []string{
			"overlap          about 2 pairs of requests were in the pipeline at the same time when recorded: profile observe, approximate\n",
			"  overlapped by  requests [7 9], approximately\n",
		}, true},
		"approximately none": {&auditv1.AuditReplayResponse{OverlapApproximate: true}, []string{"overlap          about 0 pairs"}, true},
	} {
		var text, object bytes.Buffer
		if err := printVerdict(&text, c.verdict, false); err != nil {
			t.Fatal(err)
		}
		for _, l := range c.lines {
			if !strings.Contains(text.String(), l) {
				t.Errorf("%s: %q is not in\n%s", name, l, text.String())
			}
		}
		if err := printVerdict(&object, c.verdict, true); err != nil {
			t.Fatal(err)
		}
		var v struct {
			Approximate bool `json:"overlap_approximate"`
			Divergence  *struct {
				Approximate bool `json:"overlapping_approximate"`
			} `json:"divergence"`
		}
		if err := json.Unmarshal(object.Bytes(), &v); err != nil {
			t.Fatal(err)
		}
		if v.Approximate != c.json || v.Divergence != nil && v.Divergence.Approximate != c.json {
			t.Errorf("%s: %s", name, object.String())
		}
	}
}
