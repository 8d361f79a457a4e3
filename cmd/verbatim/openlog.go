package main

import (
	"context"
	"errors"

	"verbatim/sidecar/admin"
	"verbatim/sidecar/auditlog"
)

// openLog opens a log for reading, also while serve runs on it: then the serving
// process makes a snapshot for us. captured are the addresses that it captures.
func openLog(ctx context.Context, dir string) (v *auditlog.View, captured []string, done func(), err error) {
	v, err = auditlog.OpenReadOnly(dir)
	if err == nil {
		return v, nil, v.Close, nil
	}
	if !errors.Is(err, auditlog.ErrInUse) {
		return nil, nil, nil, err
	}
	path, captured, release, err := admin.HoldSnapshot(ctx, dir)
	if err != nil {
		return nil, nil, nil, err
	}
	v, err = auditlog.OpenReadOnly(path)
	if err != nil {
		release()
		return nil, nil, nil, err
	}
	return v, captured, func() { v.Close(); release() }, nil
}
