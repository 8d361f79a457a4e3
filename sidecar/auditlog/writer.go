package auditlog

import (
	"errors"
	"fmt"
	"time"

	logv1 "verbatim/proto/verbatim/log/v1"
)

// run is the writer's goroutine, the only one that writes entries. It ends when
// Close was called and what waited is written.
func (l *Log) run() {
	age := time.NewTimer(l.untilAged())
	defer age.Stop()
	for {
		select {
		case <-l.queue.wake:
		case <-age.C:
		case <-l.stop:
			l.drain()
			l.closed = l.shut()
			return
		}
		l.drain()
		age.Reset(l.untilAged())
	}
}

// drain writes all that waits, batch after batch, and seals a window by age.
func (l *Log) drain() {
	for {
		waiting := l.queue.take()
		aged := l.aged()
		if len(waiting) == 0 && !aged {
			return
		}
		if err := l.commit(waiting, aged); err != nil {
			l.fail(waiting, err)
		}
	}
}

// commit makes a batch durable and then acknowledges it.
func (l *Log) commit(waiting []*Pending, aged bool) error {
	s := l.access.current()
	if s == nil {
		return fmt.Errorf("write entries: %w", ErrClosed)
	}
	b := newBatch(s, l.tail)
	defer b.destroy()
	told := l.skips.list()
	sealed := false
	seal := func(reason logv1.SealReason) error {
		skipped := told
		if sealed {
			skipped = nil
		}
		sealed = true
		return b.seal(reason, skipped, l.nowMS())
	}
	if aged {
		if err := seal(logv1.SealReason_SEAL_REASON_AGE); err != nil {
			return err
		}
	}
	for _, p := range waiting {
		if p.writes != nil {
			b.store(p.writes)
			continue
		}
		if p.seal {
			if l.tail.sealable() || !sealed && len(told) > 0 {
				if err := seal(logv1.SealReason_SEAL_REASON_STOP); err != nil {
					return err
				}
			}
			continue
		}
		var err error
		if p.placed, err = b.place(p.draft, l.nowMS()); err != nil {
			return err
		}
		if l.tail.full() {
			if err := seal(logv1.SealReason_SEAL_REASON_INTERVAL); err != nil {
				return err
			}
		}
	}
	began := time.Now()
	if err := b.writeSynced(l.writer(s)); err != nil {
		return err
	}
	took := time.Since(began)
	if sealed {
		l.skips.told(told)
	}
	if len(b.placed) > 0 {
		l.index.add(b.placed, l.tail.tip())
	}
	for _, p := range waiting {
		p.finish(nil)
	}
	l.observe(b.placed, took)
	return nil
}

func (l *Log) observe(placed []placedEntry, took time.Duration) {
	if l.opts.Observer == nil || len(placed) == 0 {
		return
	}
	counts := map[Kind]int{}
	for _, p := range placed {
		counts[p.kind]++
	}
	l.opts.Observer.Durable(counts, took)
}

// writeNow makes drafts of the log's own durable, before the store is
// published. The tail is ahead of the disk when it fails.
func (l *Log) writeNow(s *store, drafts []Draft) error {
	if len(drafts) == 0 {
		return nil
	}
	b := newBatch(s, l.tail)
	defer b.destroy()
	for _, d := range drafts {
		if _, err := b.place(d, l.nowMS()); err != nil {
			return err
		}
		if l.tail.full() {
			if err := b.seal(logv1.SealReason_SEAL_REASON_INTERVAL, nil, l.nowMS()); err != nil {
				return err
			}
		}
	}
	return b.writeSynced(l.writer(s))
}

// shut seals the last window and closes the store; a clean stop flushes.
func (l *Log) shut() error {
	defer l.release()
	s := l.access.current()
	// Only one may store windows: the indexer ends before the rest is stored here.
	l.index.stop()
	l.indexing.Wait()
	if s == nil {
		return fmt.Errorf("close log %s: %w: %w; its last window is not sealed", l.dir, ErrNotWritable, l.queue.downReason())
	}
	err := l.sealAtStop(s)
	l.access.close()
	if err != nil {
		return fmt.Errorf("close log %s: %w", l.dir, err)
	}
	return nil
}

func (l *Log) sealAtStop(s *store) error {
	b := newBatch(s, l.tail)
	defer b.destroy()
	told := l.skips.list()
	if l.tail.sealable() || len(told) > 0 {
		if err := b.seal(logv1.SealReason_SEAL_REASON_STOP, told, l.nowMS()); err != nil {
			return err
		}
		if err := b.writeSynced(l.writer(s)); err != nil {
			return err
		}
		l.index.add(b.placed, l.tail.tip())
	}
	if err := errors.Join(l.index.writeSealed(s), s.flush()); err != nil {
		return err
	}
	// What is in blocks now is not to take room twice.
	if packed, err := readPacked(s, s.read); err == nil && packed > 0 {
		if err := s.compact(cfEntries, offsetKey(packed)); err != nil {
			l.opts.Logger.Warn("some entries take room twice", "log", l.dir, "err", err)
		}
	}
	return nil
}

func (l *Log) nowMS() uint64 { return clockMS(l.opts.Now()) }

// clockMS is a wall clock as entries hold it. One that is set to before 1970 is taken
// for its first millisecond: it must not put the log's, which never goes back, at its
// end.
func clockMS(wall time.Time) uint64 { return uint64(max(wall.UnixMilli(), 1)) }

// aged says that the open window is due by age: by the clock of its oldest entry, or
// by the time since the writer saw it first, for where the wall clock was put back the
// log's own stays ahead of it.
func (l *Log) aged() bool {
	if l.opts.MaxAge <= 0 || l.access.current() == nil || !l.tail.sealable() {
		return false
	}
	now, w := l.opts.Now(), l.tail.window
	if l.agesFrom.IsZero() || l.ages != w.first {
		l.ages, l.agesFrom = w.first, now
	}
	return clockMS(now) >= w.oldestMS+uint64(l.opts.MaxAge.Milliseconds()) || now.Sub(l.agesFrom) >= l.opts.MaxAge
}

// untilAged is how long the writer may sleep; at most a second, since the wall
// clock can be set.
func (l *Log) untilAged() time.Duration {
	if l.opts.MaxAge <= 0 {
		return time.Second
	}
	return min(time.Second, max(l.opts.MaxAge/8, time.Millisecond))
}
