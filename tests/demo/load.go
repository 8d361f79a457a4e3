package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"verbatim/filter"
	"verbatim/tests/mesh"
)

// plainLoad gives the load to an Envoy that does not capture, before a pipeline
// of its own, and stops both.
func (d *demo) plainLoad(ctx context.Context) (mesh.LoadResult, error) {
	pipeline, err := d.startPipeline(ctx, "pipeline-plain", "")
	if err != nil {
		return mesh.LoadResult{}, err
	}
	envoy, err := d.startEnvoy(ctx, "envoy-plain", pipeline.Addr, nil)
	if err != nil {
		return mesh.LoadResult{}, err
	}
	result, err := d.load(ctx, envoy.Addr)
	if err != nil {
		return result, err
	}
	return result, errors.Join(envoy.Stop(), pipeline.Stop())
}

// captured is a pipeline and the Envoy before it.
type captured struct{ pipeline, envoy string }

// record makes a log, gives the load to an Envoy that captures, and stops
// verbatim, which seals the log. Envoy and the pipeline go on.
func (d *demo) record(ctx context.Context) (mesh.LoadResult, error) {
	if err := d.command(ctx, nil, append([]string{"init", "--log", d.logDir()}, d.ledger.initFlags()...)...); err != nil {
		return mesh.LoadResult{}, err
	}
	if d.ledger != nil {
		if err := d.command(ctx, nil, append([]string{"anchor", "open", "--log", d.logDir()}, d.ledger.sending()...)...); err != nil {
			return mesh.LoadResult{}, err
		}
	}
	pipeline, err := d.startPipeline(ctx, "pipeline-captured", "")
	if err != nil {
		return mesh.LoadResult{}, err
	}
	sidecar, err := d.startSidecar(ctx, pipeline.Addr)
	if err != nil {
		return mesh.LoadResult{}, err
	}
	envoy, err := d.startEnvoy(ctx, "envoy-captured", pipeline.Addr, &filter.Capture{Sidecar: d.socket()})
	if err != nil {
		return mesh.LoadResult{}, err
	}
	d.captured = captured{pipeline: pipeline.Addr, envoy: envoy.Addr}
	result, err := d.load(ctx, envoy.Addr)
	if err != nil {
		return result, err
	}
	if err := sidecar.Stop(); err != nil {
		return result, fmt.Errorf("%w: %w", errCheck, err)
	}
	return result, nil
}

// load sends all events, with progress, and wants each answered with 200.
func (d *demo) load(ctx context.Context, addr string) (mesh.LoadResult, error) {
	result, err := mesh.Load(ctx, mesh.LoadOptions{
		Addr: addr, Connections: d.connections, Events: d.events, Meters: d.meters,
		Progress: progress(d.out, d.terminal, d.events),
	})
	if err != nil {
		return result, fmt.Errorf("send events: %w", err)
	}
	return result, checkLoad(result, d.events)
}

func checkLoad(result mesh.LoadResult, events int) error {
	if result.Done == events {
		return nil
	}
	err := fmt.Errorf("%w: %d of %d events were answered with 200", errCheck, result.Done, events)
	for _, status := range slices.Sorted(maps.Keys(result.Failed)) {
		if status == 0 {
			err = fmt.Errorf("%w; %d had no whole answer, the first: %w", err, result.Failed[0], result.FirstError)
		} else {
			err = fmt.Errorf("%w; %d with %d", err, result.Failed[status], status)
		}
	}
	return err
}
