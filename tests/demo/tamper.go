package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"verbatim/sidecar/auditlog"
	"verbatim/tests/forge"
)

// tamper flips one bit in a copy of the sealed log and wants verification to
// name that entry and no other.
func (d *demo) tamper(ctx context.Context) error {
	tampered := filepath.Join(d.dir, "tampered")
	if err := forge.Copy(d.logDir(), tampered); err != nil {
		return err
	}
	entry, err := middleResponse(ctx, tampered)
	if err != nil {
		return err
	}
	at := forge.RawAt + len(entry.Raw)/2
	if err := forge.FlipBit(tampered, entry.Offset, at); err != nil {
		return err
	}
	fmt.Fprintf(d.out, "  flipped one bit in byte %d of the entry at offset %d, a Response, in the copy\n", at, entry.Offset)
	var report verifyReport
	if err := d.command(ctx, &report, "verify", "--log", tampered, "--json"); err != nil {
		return err
	}
	for _, f := range report.Findings {
		fmt.Fprintf(d.out, "  verbatim verify: %s\n", f)
	}
	if err := report.checkNames(entry.Offset); err != nil {
		return err
	}
	fmt.Fprintf(d.out, "  verification names exactly offset %d\n", entry.Offset)
	return nil
}

// checkNames wants offset to be named and no other.
func (r verifyReport) checkNames(offset uint64) error {
	if r.OK || len(r.Findings) == 0 {
		return fmt.Errorf("%w: verification found nothing in the log with a flipped bit at offset %d", errCheck, offset)
	}
	for _, f := range r.Findings {
		if f.Offset != offset {
			return fmt.Errorf("%w: a bit was flipped at offset %d, but verification names offset %d", errCheck, offset, f.Offset)
		}
	}
	return nil
}

// middleResponse is the first Response in the second half of a closed log.
func middleResponse(ctx context.Context, dir string) (auditlog.Entry, error) {
	view, err := auditlog.OpenReadOnly(dir)
	if err != nil {
		return auditlog.Entry{}, err
	}
	defer view.Close()
	tip := view.Tip().Offset
	for e, err := range view.Entries(ctx, tip/2, tip) {
		if err != nil {
			return auditlog.Entry{}, err
		}
		kind, _, err := auditlog.Peek(e.Raw)
		if err != nil {
			return auditlog.Entry{}, err
		}
		if kind == auditlog.KindResponse {
			return e, nil
		}
	}
	return auditlog.Entry{}, errors.New("find a Response to tamper with: there is none in the second half of the log")
}
