package sidecar

import (
	"testing"

	logv1 "verbatim/proto/verbatim/log/v1"
)

func TestWhatCountersTell(t *testing.T) {
	const (
		unknown = logv1.AbortCause_ABORT_CAUSE_UNKNOWN
		gone    = logv1.AbortCause_ABORT_CAUSE_CLIENT_GONE
		reset   = logv1.AbortCause_ABORT_CAUSE_PIPELINE_RESET
		timeout = logv1.AbortCause_ABORT_CAUSE_TIMEOUT
	)
	before := look{client: 5, reset: 5, late: 5, another: 5}
	for name, c := range map[string]struct {
		now  look
		want logv1.AbortCause
	}{
		"nothing":               {look{client: 5, reset: 5, late: 5, another: 5}, unknown},
		"clients alone":         {look{client: 7, reset: 5, late: 5, another: 5}, gone},
		"resets alone":          {look{client: 5, reset: 6, late: 5, another: 5}, reset},
		"timeouts alone":        {look{client: 5, reset: 5, late: 6, another: 5}, timeout},
		"a client and a reset":  {look{client: 6, reset: 6, late: 5, another: 5}, unknown},
		"a timeout and a reset": {look{client: 5, reset: 6, late: 6, another: 5}, unknown},
		"Envoy itself as well":  {look{client: 6, reset: 5, late: 5, another: 6}, unknown},
		"another Envoy":         {look{client: 6, reset: 0, late: 5, another: 5}, unknown},
	} {
		if got := before.until(c.now); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}
