package sidecar

import (
	"context"
	"fmt"
	"os"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
)

// Environment variables by which a deployment says where it runs; Kubernetes
// fills them in from the pod.
const (
	envPod      = "POD_NAME"
	envNode     = "NODE_NAME"
	envIdentity = "WORKLOAD_IDENTITY"
)

// recordStart returns after a Start is durable, whatever becomes of ctx: it has
// its place by then. Recording begins with one, and each change of what it says
// is another.
func (s *service) recordStart(ctx context.Context, envoyVersion string) error {
	draft, err := auditlog.NewDraft(&logv1.Event{Kind: &logv1.Event_Start{Start: s.start(envoyVersion)}})
	if err != nil {
		return err
	}
	placed, err := s.log.Append(draft).Wait(context.WithoutCancel(ctx))
	if err != nil {
		return fmt.Errorf("record start: %w", err)
	}
	s.signing.started(placed.Offset)
	return nil
}

// start says who records, what, and under which rules.
func (s *service) start(envoyVersion string) *logv1.Start {
	pipeline := &logv1.Pipeline{
		Name: s.config.Pipeline.Name, ImageDigest: s.config.Pipeline.Image,
		Protocol: map[string]string{"h1": "http/1.1", "h2": "h2"}[s.config.Pipeline.Protocol],
	}
	if pipeline.GetImageDigest() != "" {
		pipeline.ImageEvidence = logv1.Evidence_EVIDENCE_DECLARED
	}
	clock := logv1.PipelineClock_PIPELINE_CLOCK_SYSTEM
	if s.clock != nil {
		clock = logv1.PipelineClock_PIPELINE_CLOCK_FROZEN
	}
	return &logv1.Start{
		BootId: s.bootID, VerbatimVersion: s.version, EnvoyVersion: envoyVersion, Pipeline: pipeline,
		Workload: &logv1.Workload{Pod: os.Getenv(envPod), Node: os.Getenv(envNode), Identity: os.Getenv(envIdentity)},
		Ordering: s.config.LogOrdering(), Profile: s.config.LogProfile(), Position: s.config.LogPosition(), PipelineClock: clock,
		CapturePolicy: s.policy.Text(), IgnorePolicy: s.ignore.Policy(), CheckpointKeys: s.signing.keys(),
	}
}
