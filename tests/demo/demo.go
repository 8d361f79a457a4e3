package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"verbatim/tests/mesh"
	"verbatim/tests/soroban"
)

// errCleanUp marks what the demo could not stop or remove.
var errCleanUp = errors.New("clean up")

// demo is one run. One goroutine owns it.
type demo struct {
	settings
	out    io.Writer
	errOut *os.File // verbatim draws its progress bar there
	// terminal says that out is one.
	terminal bool
	// dir has all that the run writes.
	dir string
	// captured is where recording takes place, once it does.
	captured captured
	// ledger is where roots are published; nil where there is no node.
	ledger *publicLedger
	node   *soroban.Node // runs, if not nil
	// children are all programs ever started, in order.
	children []*mesh.Process
}

// run does everything and leaves nothing behind.
func (d *demo) run(ctx context.Context) error {
	if err := d.makeDir(); err != nil {
		return err
	}
	err := d.show(ctx)
	if err != nil && ctx.Err() == nil {
		d.showLogs()
	}
	if d.keep && (err == nil || errors.Is(err, errCheck)) {
		err = errors.Join(err, d.stay(ctx))
	}
	return errors.Join(err, d.cleanUp())
}

// makeDir makes the run's directory. Its name is short, since the path of a
// Unix socket is bounded.
func (d *demo) makeDir() error {
	build := filepath.Join(d.root, ".build")
	if err := os.MkdirAll(build, 0o755); err != nil {
		return fmt.Errorf("make demo's directory: %w", err)
	}
	var err error
	if d.dir, err = os.MkdirTemp(build, "demo-"); err != nil {
		return fmt.Errorf("make demo's directory: %w", err)
	}
	fmt.Fprintf(d.out, "Everything this writes is in %s until it ends.\n", d.dir)
	return nil
}

// show is the demonstration.
func (d *demo) show(ctx context.Context) error {
	var sum summary
	var err error
	d.heading("1. Without verbatim: %s through Envoy, for comparison", d.loadText())
	if sum.plain, err = d.plainLoad(ctx); err != nil {
		return err
	}
	if d.ledger, err = d.startLedger(ctx); err != nil {
		return err
	}
	d.heading("2. Recording: the same load, Envoy hands every exchange to verbatim")
	if sum.captured, err = d.record(ctx); err != nil {
		return err
	}
	d.heading("3. Replay: a fresh pipeline gets the recorded requests, one at a time, in order")
	if err := d.verifyAndReplay(ctx, &sum); err != nil {
		return err
	}
	d.heading("Summary")
	sum.print(d.out)
	if err := sum.check(d.events); err != nil {
		return err
	}
	d.heading("4. Tampering: one bit of one byte flipped in a copy of the log")
	if err := d.tamper(ctx); err != nil || d.ledger == nil {
		return err
	}
	d.heading("5. The public anchor: every checkpoint's root against the contract on the ledger")
	if err := d.anchored(ctx); err != nil {
		return err
	}
	d.heading("6. Rewriting: a copy of the log by somebody who owns it and knows the format")
	return d.rewritten(ctx)
}

// cleanUp stops every program, the newest first, and removes the directory.
func (d *demo) cleanUp() error {
	var errs []error
	for i := len(d.children) - 1; i >= 0; i-- {
		errs = append(errs, d.children[i].Stop())
	}
	if d.node != nil {
		d.node.Stop()
	}
	errs = append(errs, os.RemoveAll(d.dir))
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("%w: %w", errCleanUp, err)
	}
	return nil
}

func (d *demo) heading(format string, args ...any) {
	fmt.Fprintf(d.out, "\n"+format+"\n", args...)
}

func (d *demo) loadText() string {
	return fmt.Sprintf("%d events of %d meters over %d connections", d.events, d.meters, d.connections)
}

func (d *demo) logDir() string { return filepath.Join(d.dir, "log") }
