package sidecar

import (
	"verbatim/sidecar/capture"
	"verbatim/sidecar/frozenclock"
)

// openClock returns the pipeline's clock; nil if it has none of its own. What the
// clock shows stays: the pipeline may be running.
func openClock(path string) (capture.Clock, error) {
	if path == "" {
		return nil, nil
	}
	return frozenclock.Open(path)
}
