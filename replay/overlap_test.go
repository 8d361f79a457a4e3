package replay_test

import (
	"slices"
	"strings"
	"testing"

	logv1 "verbatim/proto/verbatim/log/v1"
)

// TestObservedOverlapIsApproximate: profile observe does not know exactly which
// requests were in the pipeline together, and no verdict says that it did.
func TestObservedOverlapIsApproximate(t *testing.T) {
	const words = "profile observe knows only approximately which"
	for name, c := range map[string]struct {
		profile     logv1.Profile
		together    bool
		reason      string
		approximate bool
	}{
		"strict":         {logv1.Profile_PROFILE_STRICT, true, "; 1 other requests were in the pipeline", false},
		"strict, apart":  {logv1.Profile_PROFILE_STRICT, false, "", false},
		"observe":        {logv1.Profile_PROFILE_OBSERVE, true, "; about 1 other requests were in the pipeline", true},
		"observe, apart": {logv1.Profile_PROFILE_OBSERVE, false, "; about 0 other requests were in the pipeline", true},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRecorder(t)
			r.put(&logv1.Event{Kind: &logv1.Event_Start{Start: &logv1.Start{Profile: c.profile, IgnorePolicy: noisy("x-noise", "date").Policy()}}})
			first := r.request("/bad", "a")
			if !c.together {
				r.response(first, "/bad")
			}
			second := r.request("/second", "b")
			if c.together {
				r.response(first, "/bad")
			}
			r.response(second, "/second")
			url, _ := echo(t, "/bad")
			out := r.replay(url, nil)
			wantResult(t, out, "DIVERGENCE", c.reason)
			if strings.Contains(out.GetReason(), words) != c.approximate {
				t.Errorf("reason %q", out.GetReason())
			}
			d, pairs := out.GetDivergence(), uint64(0)
			if c.together {
				pairs = 1
			}
			if out.GetOverlappingPairs() != pairs || out.GetOverlapApproximate() != c.approximate ||
				slices.Contains(d.GetOverlapping(), second) != c.together || d.GetOverlappingApproximate() != c.approximate {
				t.Errorf("%d pairs, %v; overlapping %v, %v", out.GetOverlappingPairs(), out.GetOverlapApproximate(), d.GetOverlapping(), d.GetOverlappingApproximate())
			}
		})
	}
}

// TestApproximateIsSaidOfTheProfileInForce: what was recorded under another profile is
// exact.
func TestApproximateIsSaidOfTheProfileInForce(t *testing.T) {
	r := newRecorder(t)
	start := func(p logv1.Profile) {
		r.put(&logv1.Event{Kind: &logv1.Event_Start{Start: &logv1.Start{Profile: p, IgnorePolicy: noisy("x-noise", "date").Policy()}}})
	}
	start(logv1.Profile_PROFILE_OBSERVE)
	r.response(r.request("/a", "m"), "/a")
	start(logv1.Profile_PROFILE_STRICT)
	r.response(r.request("/bad", "m"), "/bad")
	url, _ := echo(t, "/bad")
	out := r.replay(url, nil)
	wantResult(t, out, "DIVERGENCE", "")
	if !out.GetOverlapApproximate() || out.GetDivergence().GetOverlappingApproximate() || strings.Contains(out.GetReason(), "about") {
		t.Errorf("%v, %v: %s", out.GetOverlapApproximate(), out.GetDivergence().GetOverlappingApproximate(), out.GetReason())
	}
}
