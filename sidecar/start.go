package sidecar

import (
	"context"
	"crypto/rand"
	"os"

	logv1 "verbatim/proto/verbatim/log/v1"
)

// Environment variables by which a deployment says where it runs; Kubernetes
// fills them in from the pod.
const (
	envPod      = "POD_NAME"
	envNode     = "NODE_NAME"
	envIdentity = "WORKLOAD_IDENTITY"
)

// start says who records, what, and under which rules.
func (s *service) start(ctx context.Context) *logv1.Start {
	pipeline := &logv1.Pipeline{
		Name: s.config.Pipeline.Name, ImageDigest: s.config.Pipeline.Image,
		Protocol: map[string]string{"h1": "http/1.1", "h2": "h2"}[s.config.Pipeline.Protocol],
	}
	if pipeline.GetImageDigest() != "" {
		pipeline.ImageEvidence = logv1.Evidence_EVIDENCE_DECLARED
	}
	envoyVersion := s.config.Envoy.Version
	if observed := s.watch.version(ctx); observed != "" {
		envoyVersion = observed
	}
	return &logv1.Start{
		BootId: rand.Text(), VerbatimVersion: s.version, EnvoyVersion: envoyVersion, Pipeline: pipeline,
		Workload: &logv1.Workload{Pod: os.Getenv(envPod), Node: os.Getenv(envNode), Identity: os.Getenv(envIdentity)},
		Ordering: s.config.LogOrdering(), Profile: s.profile(),
		CapturePolicy: s.policy.Text(), IgnorePolicy: s.ignore.Policy(),
	}
}
