package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"verbatim/filter"
	"verbatim/tests/mesh"
)

// startTimeout bounds the start of each program.
const startTimeout = 60 * time.Second

// serving is the line by which verbatim serve says that it records.
var serving = regexp.MustCompile(`\bmsg=serving\b.* admin=(\S+)`)

// startPipeline starts an example pipeline with an empty ledger.
func (d *demo) startPipeline(ctx context.Context, name, misbehave string) (*mesh.Pipeline, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	p, err := mesh.StartPipeline(ctx, mesh.PipelineOptions{Binary: d.pipeline, Dir: d.dir, Name: name, Misbehave: misbehave})
	if err != nil {
		return nil, err
	}
	d.children = append(d.children, p.Process)
	return p, nil
}

// startEnvoy starts Envoy before a pipeline; capture may be nil.
func (d *demo) startEnvoy(ctx context.Context, name, pipeline string, capture *filter.Capture) (*mesh.Envoy, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	dir := filepath.Join(d.dir, name)
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, fmt.Errorf("start Envoy: %w", err)
	}
	e, err := mesh.StartEnvoy(ctx, mesh.EnvoyOptions{
		Bootstrap: filter.Bootstrap{Pipeline: pipeline, Capture: capture}, Dir: dir,
	})
	if err != nil {
		return nil, err
	}
	d.children = append(d.children, e.Process)
	return e, nil
}

// sidecar is a running verbatim serve.
type sidecar struct {
	*mesh.Process
	// admin is the admin port, host:port.
	admin string
}

// startSidecar starts verbatim serve on the run's log.
func (d *demo) startSidecar(ctx context.Context, pipeline string) (*sidecar, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	p, err := mesh.StartProcess(ctx, mesh.ProcessOptions{
		Name: "verbatim-serve", Path: d.verbatim, Dir: d.dir, Ready: serving,
		Args: append([]string{
			"serve", "--log", d.logDir(), "--socket", d.socket(), "--admin", "127.0.0.1:0", "--pipeline.address", pipeline,
		}, d.ledger.serveFlags()...),
	})
	if err != nil {
		return nil, err
	}
	d.children = append(d.children, p)
	return &sidecar{Process: p, admin: p.Match[1]}, nil
}

func (d *demo) socket() string { return filepath.Join(d.dir, "s") }
