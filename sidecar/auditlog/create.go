package auditlog

import (
	"crypto/rand"
	"fmt"
	"os"
	"time"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/chain"
)

// DefaultInterval is how many entries a full window holds.
const DefaultInterval = 1000

// Origin is what a new log's Genesis says beside its log id.
type Origin struct {
	// Interval is the number of entries in a full window; 0: DefaultInterval.
	Interval    uint64
	Anchor      *logv1.Anchor
	Predecessor *logv1.Predecessor
}

// Create makes a log in dir, which must be absent or empty, and writes its
// Genesis. It returns after all of it is durable, with the new log's id.
func Create(dir string, o Origin) (chain.Hash, error) {
	if err := makeEmptyDir(dir); err != nil {
		return chain.Hash{}, err
	}
	var id chain.Hash
	if _, err := rand.Read(id[:]); err != nil {
		return id, fmt.Errorf("create log %s: %w", dir, err)
	}
	if o.Interval == 0 {
		o.Interval = DefaultInterval
	}
	s, err := openStore(dir, create)
	if err != nil {
		return id, err
	}
	genesis := &logv1.Genesis{
		LogId: id[:], FormatVersion: FormatVersion, CheckpointInterval: o.Interval,
		Anchor: o.Anchor, Predecessor: o.Predecessor,
	}
	err = writeGenesis(s, genesis)
	s.close()
	if err != nil {
		return id, fmt.Errorf("create log %s: %w", dir, err)
	}
	return id, writeFormat(dir)
}

func makeEmptyDir(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("create log %s: %w; name another directory", dir, err)
	}
	names, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("create log %s: %w", dir, err)
	}
	for _, n := range names {
		if n.Name() != "lost+found" { // of a volume of its own
			return fmt.Errorf("create log %s: %w: it holds %s; name a new or an empty one", dir, ErrExists, n.Name())
		}
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		return fmt.Errorf("create log %s: %w", dir, err)
	}
	return nil
}

// writeGenesis returns after offset 0 and the flushed tables are durable.
func writeGenesis(s *store, g *logv1.Genesis) error {
	d, err := NewDraft(&logv1.Event{Kind: &logv1.Event_Genesis{Genesis: g}})
	if err != nil {
		return err
	}
	b := newBatch(s, newTail(g.GetCheckpointInterval()))
	defer b.destroy()
	if _, err := b.place(d, clockMS(time.Now())); err != nil {
		return err
	}
	if err := b.writeSynced(s); err != nil {
		return err
	}
	return s.flush()
}
