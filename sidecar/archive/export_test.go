package archive

import (
	"context"
	"time"
)

// SetSizes makes segments, objects with records and manifests small.
func (a *Archiver) SetSizes(segmentBytes, recordBytes uint64, segmentsPerManifest int) {
	a.segmentBytes, a.recordBytes, a.segments = segmentBytes, recordBytes, segmentsPerManifest
}

// SetPause replaces how a worker waits.
func (w *Worker) SetPause(f func(context.Context, time.Duration)) { w.pause = f }
