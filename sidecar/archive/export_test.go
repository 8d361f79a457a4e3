package archive

import (
	"context"
	"time"

	"gocloud.dev/blob"

	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/chain"
)

// SetSizes makes segments, objects with records and manifests small.
func (a *Archiver) SetSizes(segmentBytes, recordBytes uint64, segmentsPerManifest int) {
	a.segmentBytes, a.recordBytes, a.segments = segmentBytes, recordBytes, segmentsPerManifest
}

// SetPause replaces how a worker waits.
func (w *Worker) SetPause(f func(context.Context, time.Duration)) { w.pause = f }

// Forge changes the manifests of an archive that was begun on a pruned log, and what
// it has of the pruned part, and gives all of it digests that fit.
func (b *Bucket) Forge(ctx context.Context, change func(m []*Manifest, kept []auditlog.Entry, nodes map[chain.NodeID]chain.Hash) []auditlog.Entry) error {
	all, err := b.history(ctx, nil)
	if err != nil {
		return err
	}
	object, err := b.read(ctx, all[0].Remains.key(), all[0].Remains.Object)
	if err != nil {
		return err
	}
	left, err := decodeRemains(object, all[0].LogID, all[0].Remains.Cut)
	if err != nil {
		return err
	}
	var manifests []*Manifest
	for _, s := range all {
		own := *s.Remains
		s.Remains = &own
		manifests = append(manifests, s.Manifest)
	}
	left.kept = change(manifests, left.kept, left.nodes)
	if object, err = left.encode(all[0].LogID, all[0].Remains.Cut); err != nil {
		return err
	}
	put := func(key string, object []byte) error {
		return b.bucket.WriteAll(ctx, key, object, &blob.WriterOptions{})
	}
	for i, m := range manifests {
		m.Remains.Object = Object{Digest: chain.EventHash(object), Size: uint64(len(object))}
		if i > 0 {
			m.Previous = chain.EventHash([]byte(manifests[i-1].text()))
		}
		if err := put(manifestKey(m.Number), []byte(m.text())); err != nil {
			return err
		}
	}
	return put(manifests[0].Remains.key(), object)
}
