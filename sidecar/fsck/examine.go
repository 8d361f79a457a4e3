package fsck

import (
	"context"
	"errors"
	"fmt"
	"regexp"

	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/verify"
)

// Examine finds what is wrong with a log that no process writes. It writes nothing.
// Errors: those of auditlog.OpenReadOnly but for damage, which is a finding.
func Examine(ctx context.Context, dir string, progress func(done uint64)) (*Report, error) {
	r, err := findings(ctx, dir, progress)
	if err != nil {
		return nil, fmt.Errorf("examine log: %w", err)
	}
	if r.Clean() {
		return r, nil
	}
	left, err := auditlog.OpenRemains(dir)
	switch {
	case errors.Is(err, auditlog.ErrDamaged):
		return r, nil
	case err != nil:
		return nil, fmt.Errorf("examine log: %w", err)
	}
	defer left.Close()
	for _, t := range left.BadTables() {
		r.table(t)
	}
	if _, err := survey(ctx, r, left, nil); err != nil {
		return nil, fmt.Errorf("examine log: %w", err)
	}
	return r, nil
}

// findings are what readers and verifiers say.
func findings(ctx context.Context, dir string, progress func(uint64)) (*Report, error) {
	r := &Report{}
	v, err := auditlog.OpenReadOnly(dir)
	if err != nil {
		err = r.refused(dir, err)
		return r, err
	}
	defer v.Close()
	r.Opens = true
	found, err := verify.Verify(ctx, v, verify.Options{Progress: progress})
	if err != nil {
		return nil, err
	}
	for _, f := range found.Findings {
		r.Findings = append(r.Findings, Finding{Offset: f.Offset, Code: f.Code, Text: f.Text})
	}
	for _, err := range v.Records(ctx, nil, nil) {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if err != nil {
			r.file(fileIn(err), "%v", err)
		}
	}
	return r, nil
}

// refused takes what keeps a log from being opened for a finding, if it is damage.
func (r *Report) refused(dir string, err error) error {
	switch {
	case errors.Is(err, auditlog.ErrDamaged):
		r.file(fileIn(err), "it keeps the log from being opened: %v", err)
		return nil
	case errors.Is(err, auditlog.ErrNotALog):
		left, bad := auditlog.OpenRemains(dir)
		if bad != nil && !errors.Is(bad, auditlog.ErrDamaged) {
			return err
		}
		if bad == nil {
			left.Close()
		}
		r.file("FORMAT", "it is missing, or can't be read: %v", err)
		return nil
	}
	return err
}

// aFile is how RocksDB names its files in errors.
var aFile = regexp.MustCompile(`\d{6}\.(sst|log)|MANIFEST-\d+|CURRENT|file durable`)

// fileIn is the file that an error is about, as far as it says.
func fileIn(err error) string {
	switch name := aFile.FindString(err.Error()); name {
	case "":
		return "db"
	case "file durable":
		return "durable"
	default:
		return "db/" + name
	}
}

func (r *Report) table(t auditlog.BadTable) {
	if t.Last > 0 {
		r.file(t.File, "%s; it had %s of offsets %d to %d", t.Text, t.Family, t.First, t.Last)
		return
	}
	r.file(t.File, "%s; it had %s", t.Text, t.Family)
}
