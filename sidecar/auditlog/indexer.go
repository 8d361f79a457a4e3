package auditlog

import (
	"errors"
	"fmt"
)

// runIndexer is the indexer's goroutine: it stores the index of sealed windows.
// It may block on RocksDB and ends when the index is stopped.
func (l *Log) runIndexer() {
	for range l.index.wake {
		s := l.access.current()
		err := l.access.with(s, func() error { return l.index.writeSealed(s) })
		if err != nil && !errors.Is(err, ErrReopened) {
			// The windows stay in memory, and readable; the next seal tries again.
			l.opts.Logger.Warn("index is not stored yet", "log", l.dir, "err", err)
		}
	}
}

// wakeUp lets the indexer look again.
func (x *index) wakeUp() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.signal()
}

// stop ends the indexer; called once, by the writer, which then waits for it.
func (x *index) stop() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.stopped = true
	close(x.wake)
}

// rebuild makes the windows in memory from the entries that the stored index
// does not cover, and publishes the tip.
func (x *index) rebuild(s *store, tip Tip) error {
	windows, err := buildWindows(s, tip)
	if err != nil {
		return fmt.Errorf("rebuild index: %w", err)
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.windows, x.tip = windows, tip
	return nil
}

// buildWindows reads the entries behind the stored index up to the tip.
func buildWindows(s *store, tip Tip) ([]*window, error) {
	id, first, err := readIndexed(s, s.read)
	if err != nil {
		return nil, err
	}
	x := &index{windows: []*window{newWindow(id, first)}, wake: make(chan struct{}, 1)}
	meters := map[uint64][]string{}
	err = s.scan(s.read, first, func(e Entry) (bool, error) {
		if e.Offset > tip.Offset {
			return false, nil
		}
		ev, err := e.Event()
		if err != nil {
			return false, fmt.Errorf("%w: %w", ErrDamaged, err)
		}
		d := describe(ev)
		p := placedEntry{kind: d.Kind, status: d.Status, offset: e.Offset, clockMS: ev.GetWallClockMs()}
		if p.meters, err = metersOf(s, e.Offset, d, meters); err != nil {
			return false, err
		}
		if d.Kind == KindCheckpoint && e.Offset == first {
			// It seals the window before: one that is stored already.
			x.windows[0].firstMS = p.clockMS
			x.windows[0].lists.Add(p.offset, p.kind, p.status, p.meters)
			return true, nil
		}
		x.addEntry(p)
		return true, nil
	})
	return x.windows, err
}

// pruned says whether an offset is before the log's cut.
func pruned(s *store, offset uint64) bool {
	cut, err := readCut(s, s.read)
	return err == nil && offset < cut.Offset
}

// metersOf says which meters an entry belongs to; seen remembers requests.
func metersOf(s *store, offset uint64, d Draft, seen map[uint64][]string) ([]string, error) {
	switch d.Kind {
	case KindRequest:
		seen[offset] = d.MeterIDs
		return d.MeterIDs, nil
	case KindResponse, KindAbort, KindRequestPart, KindResponsePart:
	default:
		return nil, nil
	}
	if ids, ok := seen[d.RequestOffset]; ok {
		return ids, nil
	}
	e, err := s.entry(s.read, d.RequestOffset)
	if errors.Is(err, ErrNoEntry) && pruned(s, d.RequestOffset) {
		return nil, nil // nobody knows any more
	}
	if err != nil {
		return nil, err
	}
	ev, err := e.Event()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	seen[d.RequestOffset] = ev.GetRequest().GetMeterIds()
	return seen[d.RequestOffset], nil
}
