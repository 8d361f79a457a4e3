package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// stay has everything running, prints what to try, and waits until ctx ends.
func (d *demo) stay(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if d.captured.envoy == "" {
		return nil // it failed before there was anything to look at
	}
	sidecar, err := d.startSidecar(ctx, d.captured.pipeline)
	if err != nil {
		return err
	}
	fresh, err := d.startPipeline(ctx, "pipeline-fresh", "")
	if err != nil {
		return err
	}
	dearer, err := d.startPipeline(ctx, "pipeline-dearer", "tariff")
	if err != nil {
		return err
	}
	d.heading("Everything is running. Try in another terminal:")
	printCommands(d.out, commandsAddresses{
		verbatim: shown(d.verbatim), pipeline: shown(d.pipeline), log: shown(d.logDir()),
		envoy: d.captured.envoy, admin: sidecar.admin, fresh: fresh.Addr, dearer: dearer.Addr,
	})
	if d.ledger != nil {
		fmt.Fprintf(d.out, "  ask the ledger about every checkpoint\n    %s verify --log %s --anchors --rpc %s\n", shown(d.verbatim), shown(d.logDir()), d.ledger.node.URL())
		fmt.Fprintf(d.out, "  see how far roots are published\n    %s anchor status --log %s\n", shown(d.verbatim), shown(d.logDir()))
	}
	fmt.Fprintln(d.out, "\nCtrl-C stops it all and removes the log.")
	<-ctx.Done()
	return nil
}

type commandsAddresses struct{ verbatim, pipeline, log, envoy, admin, fresh, dearer string }

func printCommands(out io.Writer, a commandsAddresses) {
	for _, c := range []struct{ what, command string }{
		{"send a reading through Envoy", `curl --json '{"meter_id":"meter-00007","kwh":1.5}' http://` + a.envoy + `/v1/readings`},
		{"see what was recorded of that meter", a.verbatim + " query --log " + a.log + " --meter meter-00007"},
		{"check every link and footer", a.verbatim + " verify --log " + a.log},
		{"replay all of it into a fresh pipeline: VERIFIED", a.verbatim + " replay --log " + a.log + " --target http://" + a.fresh},
		{"replay it into one with another tariff: DIVERGENCE", a.verbatim + " replay --log " + a.log + " --target http://" + a.dearer},
		{"start another fresh pipeline, one for each replay", a.pipeline},
		{"look at the metrics", "curl http://" + a.admin + "/metrics"},
		{"ask the audit service", "grpcurl -plaintext " + a.admin + " verbatim.audit.v1.AuditService/GetStatus"},
	} {
		fmt.Fprintf(out, "  %s\n    %s\n", c.what, c.command)
	}
}

// shown is a path as one types it from the working directory.
func shown(path string) string {
	wd, err := os.Getwd()
	if err != nil {
		return path
	}
	relative, err := filepath.Rel(wd, path)
	if err != nil || !filepath.IsLocal(relative) || !strings.Contains(relative, string(filepath.Separator)) {
		return path // the shell would look in PATH for a name without a separator
	}
	return relative
}
