package auditlog

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	logv1 "verbatim/proto/verbatim/log/v1"
)

// healPause is between two attempts to open the log again.
const healPause = 200 * time.Millisecond

// fail refuses everything, and comes back when the log was opened again, its
// tail read back, and what was refused is closed there; or when it is stopped.
func (l *Log) fail(waiting []*Pending, cause error) {
	durable := l.index.published()
	l.opts.Logger.Error("log is not writable: nothing is recorded and nothing let through until it is", "log", l.dir, "err", cause)
	if l.opts.Observer != nil {
		l.opts.Observer.Failed(cause)
	}
	l.queue.breakDown(waiting, cause)
	l.access.close()
	pause := time.NewTicker(healPause)
	defer pause.Stop()
	for stopping := false; ; {
		err := l.reopen(durable)
		if err == nil {
			l.opts.Logger.Info("log is writable again", "log", l.dir, "tip", l.index.published().Offset)
			return
		}
		l.opts.Logger.Debug("log is still not writable", "log", l.dir, "err", err)
		l.queue.breakDown(nil, err)
		if stopping {
			return
		}
		select {
		case <-pause.C:
		case <-l.stop:
			stopping = true // one more attempt
		}
	}
}

// reopen opens the store, reads the tail back and closes what was refused. The
// queue accepts drafts again when it returns nil.
func (l *Log) reopen(durable Tip) error {
	if err := checkRoom(l.dir); err != nil {
		return err
	}
	s, err := openStore(l.dir, readWrite)
	if err != nil {
		return err
	}
	if err := l.resume(s, durable); err != nil {
		s.close()
		return err
	}
	return nil
}

// roomToOpen is more than RocksDB writes to its log file, its manifest and its
// WAL when it is opened, in octets.
const roomToOpen = 1 << 20

// checkRoom fails where files can't grow. RocksDB must not find out itself: see
// databaseOptions.
func checkRoom(dir string) error {
	path := filepath.Join(dir, roomFile)
	err := os.WriteFile(path, make([]byte, roomToOpen), 0o600)
	if removed := os.Remove(path); err == nil {
		err = removed
	}
	if err != nil {
		return fmt.Errorf("look for room: %w", err)
	}
	return nil
}

func (l *Log) resume(s *store, durable Tip) error {
	var err error
	if l.tail, err = readTail(s, l.genesis.GetCheckpointInterval()); err != nil {
		return err
	}
	if err := holdsDurable(s, l.tail, durable); err != nil {
		return err
	}
	told, err := foundTold(s, durable)
	if err != nil {
		return err
	}
	// A request that was refused and is there all the same never got through,
	// unless it was let pass unrecorded.
	delivered, cause, reason := logv1.Delivered_DELIVERED_NO, logv1.AbortCause_ABORT_CAUSE_REFUSED, "not recorded: the write failed and the request was refused"
	if l.opts.FailOpen {
		delivered, cause, reason = logv1.Delivered_DELIVERED_MAYBE, logv1.AbortCause_ABORT_CAUSE_UNKNOWN, "the write failed and the request passed: fail open"
	}
	var refused []uint64
	for _, o := range l.tail.openRequests() {
		if o > durable.Offset {
			refused = append(refused, o)
		}
	}
	aborts, err := abortAll(refused, delivered, cause, reason)
	if err != nil {
		return err
	}
	if err := l.writeNow(s, aborts); err != nil {
		return err
	}
	if err := l.closeRefusedOutcomes(s); err != nil {
		return err
	}
	l.skips.told(told) // once: an attempt that fails is made again
	return nil
}

// foundTold is what checkpoints have told of that were refused and are there all
// the same: it must not be told again.
func foundTold(s *store, durable Tip) (told []*logv1.Skipped, err error) {
	err = s.scan(s.read, durable.Offset+1, func(e Entry) (bool, error) {
		ev, err := e.Event()
		told = append(told, ev.GetCheckpoint().GetSkipped()...)
		return true, err
	})
	return told, err
}

// closeRefusedOutcomes writes Abort(MAYBE) for each request whose outcome was
// refused, then publishes the store and lets drafts in.
func (l *Log) closeRefusedOutcomes(s *store) error {
	for {
		offsets, mended := l.queue.takeRefused()
		if mended {
			// Nothing can come in between: the writer is this goroutine.
			return l.install(s)
		}
		open := slices.DeleteFunc(slices.Clone(offsets), func(o uint64) bool { _, is := l.tail.open[o]; return !is })
		slices.Sort(open)
		aborts, err := abortAll(open, logv1.Delivered_DELIVERED_MAYBE, logv1.AbortCause_ABORT_CAUSE_REFUSED, "not recorded: the answer could not be written and was refused")
		if err == nil {
			err = l.writeNow(s, aborts)
		}
		if err != nil {
			l.queue.refuseAgain(offsets)
			return err
		}
	}
}

// holdsDurable makes sure that nothing acknowledged is gone.
func holdsDurable(s *store, t *tail, durable Tip) error {
	if t.next <= durable.Offset {
		return fmt.Errorf("read back log: %w: entry %d was acknowledged and is gone", ErrDamaged, durable.Offset)
	}
	e, err := s.entry(s.read, durable.Offset)
	if err != nil {
		return fmt.Errorf("read back log: %w", err)
	}
	if e.Hash() != durable.Hash {
		return fmt.Errorf("read back log: %w: acknowledged entry %d has changed", ErrDamaged, durable.Offset)
	}
	return nil
}

// abortAll drafts an Abort for each request.
func abortAll(requests []uint64, delivered logv1.Delivered, cause logv1.AbortCause, reason string) ([]Draft, error) {
	drafts := make([]Draft, 0, len(requests))
	for _, o := range requests {
		d, err := NewDraft(&logv1.Event{Kind: &logv1.Event_Abort{Abort: &logv1.Abort{
			RequestOffset: o, Delivered: delivered, Cause: cause, Reason: reason,
		}}})
		if err != nil {
			return nil, err
		}
		drafts = append(drafts, d)
	}
	return drafts, nil
}
