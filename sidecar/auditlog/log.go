package auditlog

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/chain"
)

// Options are a Log's settings.
type Options struct {
	// MaxAge seals a window when its oldest entry is that old; 0: never by age.
	MaxAge time.Duration
	// Logger gets what an operator has to know; nil: nothing is logged.
	Logger *slog.Logger
	// FailOpen says that a request passes even if its entry is refused: if it is
	// in the log all the same, the pipeline may have got it.
	FailOpen bool
	// Observer is told of every durable batch, from the writer's goroutine; may
	// be nil.
	Observer Observer
	// Now is the wall clock; nil: time.Now.
	Now func() time.Time
}

// Observer counts what becomes durable. Its methods must not block.
type Observer interface {
	// Durable is called after each batch, with its entries by kind and the time
	// that its write took.
	Durable(entries map[Kind]int, took time.Duration)
	// Failed is called for each write that failed.
	Failed(err error)
}

// Log is the one writer of a log. Its methods are safe for use by several
// goroutines. It owns two goroutines, the writer and the indexer; both end with
// Close.
type Log struct {
	dir     string
	opts    Options
	genesis *logv1.Genesis
	queue   *queue
	index   *index
	skips   skips
	access  handle
	stop    chan struct{}
	done    sync.WaitGroup // the writer
	// The indexer; the writer ends it.
	indexing sync.WaitGroup
	closing  sync.Once
	closed   error
	release  func() // of the claim on dir

	// Owned by the writer's goroutine.
	tail   *tail
	writer func(*store) syncedWriter // tests put a failing one
	// The first offset of the window that was seen to age, and since when.
	ages     uint64
	agesFrom time.Time
}

// Open opens a log as its only writer. It checks the entries that no
// checkpoint seals against the chain, closes requests without an outcome with
// Abort(MAYBE), and returns after these are durable. Errors: ErrNotFound,
// ErrNotALog, ErrVersion, ErrInUse, ErrDamaged.
func Open(dir string, opts Options) (*Log, error) {
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if err := checkDir(dir); err != nil {
		return nil, err
	}
	release, err := claim(dir)
	if err != nil {
		return nil, err
	}
	l := &Log{
		dir: dir, release: release, opts: opts, queue: newQueue(), index: &index{wake: make(chan struct{}, 1)}, stop: make(chan struct{}),
		writer: func(s *store) syncedWriter { return s },
	}
	if err := examine(dir); err != nil {
		release()
		return nil, err
	}
	s, err := openStore(dir, readWrite)
	if err != nil {
		release()
		return nil, err
	}
	if err := l.begin(s); err != nil {
		s.close()
		release()
		return nil, fmt.Errorf("open log %s: %w", dir, err)
	}
	l.indexing.Go(l.runIndexer)
	l.done.Go(l.run)
	return l, nil
}

// examine reads a log without changing it, so that what is left of one that
// can't be opened can still be rescued.
func examine(dir string) error {
	s, err := openWhole(dir)
	if err != nil {
		return err
	}
	defer s.close()
	genesis, err := readGenesis(s)
	if err == nil {
		_, err = readTail(s, genesis.GetCheckpointInterval())
	}
	if err != nil {
		return fmt.Errorf("open log %s: %w", dir, err)
	}
	return nil
}

// begin reads the tail and closes what a stop without notice left open.
func (l *Log) begin(s *store) error {
	if err := removeSnapshots(l.dir); err != nil {
		return err
	}
	var err error
	if l.genesis, err = readGenesis(s); err != nil {
		return err
	}
	if l.tail, err = readTail(s, l.genesis.GetCheckpointInterval()); err != nil {
		return err
	}
	aborts, err := abortAll(l.tail.openRequests(), logv1.Delivered_DELIVERED_MAYBE, logv1.AbortCause_ABORT_CAUSE_RESTART, "restart: recording ended before the answer")
	if err != nil {
		return err
	}
	if err := l.writeNow(s, aborts); err != nil {
		return err
	}
	return l.install(s)
}

// install publishes a store whose tail was read back.
func (l *Log) install(s *store) error {
	if err := l.index.rebuild(s, l.tail.tip()); err != nil {
		return err
	}
	l.access.set(s)
	l.index.wakeUp()
	return nil
}

// ID is the log's id, from its Genesis.
func (l *Log) ID() chain.Hash { return chain.Hash(l.genesis.GetLogId()) }

// Anchor says where the log's roots are published, from its Genesis; nil: nowhere.
// The caller must not change it.
func (l *Log) Anchor() *logv1.Anchor { return l.genesis.GetAnchor() }

// Dir is the log's directory.
func (l *Log) Dir() string { return l.dir }

// Append gives the draft the next place in the chain: the order of Append calls
// is the order of entries. It does not block and returns before the entry is
// durable; Pending.Wait waits for that.
func (l *Log) Append(d Draft) *Pending { return l.queue.append(d) }

// AppendAll is Append for several drafts, one behind the other. Once one of them
// fails, those behind it fail too.
func (l *Log) AppendAll(drafts []Draft) []*Pending { return l.queue.appendAll(drafts) }

// Skip counts an exchange that the capture policy left out; the next checkpoint
// says so.
func (l *Log) Skip(reason string) { l.skips.add(reason) }

// Writable is nil when entries can be made durable, else why not.
func (l *Log) Writable() error {
	if err := l.queue.downReason(); err != nil {
		return fmt.Errorf("%w: %w", ErrNotWritable, err)
	}
	return nil
}

// Close refuses new entries, makes durable what waits, seals the window, and
// returns after all of it is in synced files. When ctx ends first, Close
// returns its error and the rest goes on behind it.
func (l *Log) Close(ctx context.Context) error {
	l.closing.Do(func() {
		l.queue.close()
		close(l.stop)
	})
	ended := make(chan struct{})
	go func() { // ends with the writer, which ends the indexer
		l.done.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return l.closed
	case <-ctx.Done():
		return fmt.Errorf("close log %s: %w", l.dir, context.Cause(ctx))
	}
}
