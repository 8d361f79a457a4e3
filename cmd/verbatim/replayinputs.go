package main

import (
	"fmt"

	"verbatim/replay"
	"verbatim/sidecar"
	"verbatim/sidecar/config"
	"verbatim/sidecar/frozenclock"
	"verbatim/sidecar/output"
)

// openClock returns nil if none is named.
func openClock(path string) (replay.Clock, error) {
	if path == "" {
		return nil, nil //nolint:nilnil // none is wanted
	}
	return frozenclock.Open(path)
}

// readIgnore reads a policy that is chosen; nil: none is.
func readIgnore(path string) (*output.IgnorePolicy, error) {
	if path == "" {
		return nil, nil //nolint:nilnil // none is wanted
	}
	settings, err := config.LoadIgnore(path)
	if err != nil {
		return nil, err
	}
	policy, err := sidecar.ReadIgnorePolicy(settings)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &policy, nil
}
