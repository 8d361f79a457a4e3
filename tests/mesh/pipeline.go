package mesh

import (
	"context"
	"regexp"

	"verbatim/filter"
)

// listening is the line by which a program says where it listens.
var listening = regexp.MustCompile(`^listening (\S+)$`)

// PipelineOptions says which example pipeline to start.
type PipelineOptions struct {
	// Binary is the built tests/pipeline.
	Binary string
	// Dir gets the log.
	Dir string
	// Name sets the logs of two pipelines apart; empty means "pipeline".
	Name string
	// Listen is where it listens; empty means 127.0.0.1:0.
	Listen string
	// Protocol is what it speaks.
	Protocol filter.Protocol
	// Misbehave is the pipeline's flag of that name; empty means none.
	Misbehave string
}

// Pipeline is a running example pipeline with an empty ledger.
type Pipeline struct {
	*Process
	// Addr is where it listens, host:port.
	Addr string
}

// StartPipeline starts the example pipeline and waits until it listens.
func StartPipeline(ctx context.Context, o PipelineOptions) (*Pipeline, error) {
	if o.Name == "" {
		o.Name = "pipeline"
	}
	if o.Listen == "" {
		o.Listen = "127.0.0.1:0"
	}
	args := []string{"--listen", o.Listen, "--protocol", o.Protocol.String()}
	if o.Misbehave != "" {
		args = append(args, "--misbehave", o.Misbehave)
	}
	p, err := StartProcess(ctx, ProcessOptions{Name: o.Name, Path: o.Binary, Args: args, Dir: o.Dir, Ready: listening})
	if err != nil {
		return nil, err
	}
	return &Pipeline{Process: p, Addr: p.Match[1]}, nil
}
