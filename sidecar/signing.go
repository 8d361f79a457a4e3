package sidecar

import (
	"context"
	"fmt"

	"verbatim/sidecar/checkpoint"
)

// signing is what signs the log's checkpoints; nil worker: nothing does.
type signing struct{ worker *checkpoint.Worker }

// readCheckpointKeys reads the keys that sign. Two files with one key are an error:
// in an overlap they are two.
func readCheckpointKeys(files []string) ([]*checkpoint.Key, error) {
	keys, seen := make([]*checkpoint.Key, len(files)), map[checkpoint.KeyID]string{}
	for i, file := range files {
		k, err := checkpoint.KeyFile(file)
		if err != nil {
			return nil, fmt.Errorf("checkpoint.key_files: %w", err)
		}
		if other, twice := seen[k.Public().ID()]; twice {
			return nil, fmt.Errorf("checkpoint.key_files: %s and %s hold the same key %s: name one of them", other, file, k.Public().ID())
		}
		keys[i], seen[k.Public().ID()] = k, file
	}
	return keys, nil
}

func (s *service) newSigning(keys []*checkpoint.Key) {
	if len(keys) == 0 {
		return
	}
	s.signing.worker = checkpoint.New(checkpoint.Options{
		Log: s.log, Keys: keys, Sealed: s.toSign, Observer: s.metrics.NewSigning(), Logger: s.logger,
	})
	s.metrics.WatchSigning(s.signing.worker.Status)
}

// begin signs what an earlier run left. Recording begins even if that fails: what
// is not signed is a finding to whoever checks the log.
func (s *signing) begin(ctx context.Context) {
	if s.worker != nil {
		_ = s.worker.SignSynced(ctx) // it has told why not, and tries again
	}
}

// keys are what a Start says is in force from there on.
func (s *signing) keys() []string {
	if s.worker == nil {
		return nil
	}
	return s.worker.VerifierKeys()
}

// started tells where a Start of this process stands.
func (s *signing) started(offset uint64) {
	if s.worker != nil {
		s.worker.Started(offset)
	}
}

// run signs until ctx ends. It holds nothing up.
func (s *signing) run(ctx context.Context) {
	if s.worker != nil {
		s.worker.Run(ctx)
	}
}

// sealSigned seals the log as a clean stop does, and signs that checkpoint before
// the log is closed. It returns once that is durable, or could not be done; then
// closing seals what is left, and the next run signs it.
func (s *service) sealSigned(ctx context.Context) {
	if s.signing.worker == nil {
		return
	}
	err := s.log.SealSynced(ctx)
	if err == nil {
		err = s.signing.worker.SignSynced(ctx)
	}
	if err != nil {
		s.logger.Error("the last checkpoint is not signed: the next run signs it", "err", err)
	}
}
