package sidecar

import (
	"context"
	"fmt"

	"golang.org/x/mod/sumdb/note"

	"verbatim/sidecar/anchor"
	"verbatim/sidecar/archive"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/checkpoint"
)

// ArchivedRecords are the prefixes of what is archived from beside the chain: what
// proves a checkpoint elsewhere.
func ArchivedRecords() [][]byte {
	return [][]byte{anchor.ReceiptPrefix(), checkpoint.NotePrefix()}
}

// archiving brings sealed windows to the archive; nil worker: nothing does.
type archiving struct {
	bucket *archive.Bucket
	worker *archive.Worker
}

// newArchiving makes the worker, if the configuration names an archive. The keys that
// sign checkpoints sign manifests. It asks nothing of the network.
func (s *service) newArchiving(ctx context.Context, keys []*checkpoint.Key) error {
	a := s.config.Archive
	if a.URL == "" {
		return nil
	}
	bucket, err := archive.Open(ctx, a.URL, archive.NewLimiter(a.Rate))
	if err != nil {
		return err
	}
	var signers []note.Signer
	for _, k := range keys {
		signers = append(signers, k.Signer())
	}
	s.archiving = archiving{bucket: bucket, worker: archive.NewWorker(archive.New(archive.Options{
		Bucket: bucket, Prefixes: ArchivedRecords(), Signers: signers, Keep: s.log, Observer: s.metrics.NewArchive(), Logger: s.logger,
		View: func() (*auditlog.View, func(), error) {
			v, err := s.log.View()
			if err != nil {
				return nil, nil, err
			}
			return v, v.Close, nil
		},
	}), a.Interval)}
	return nil
}

// run archives until ctx ends.
func (a *archiving) run(ctx context.Context) error {
	if a.worker == nil {
		return nil
	}
	a.worker.Run(ctx)
	return a.bucket.Close()
}

// checkArchive says what is wrong with the archive's URL before anything is opened.
func checkArchive(url string) error {
	if url == "" {
		return nil
	}
	if err := archive.CheckURL(url); err != nil {
		return fmt.Errorf("archive.url: %w", err)
	}
	return nil
}
