package auditlog

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// markFile says which offset was the newest that became durable. RocksDB takes a
// WAL whose end was cut off for one whose last writes never happened; the mark
// knows better. It is written after each synced batch and before its entries are
// acknowledged. It is not synced itself, so that after a power failure it may lag
// behind what is durable; it never leads.
const markFile = "durable"

// mark is that file, open for writing. Only the writer's goroutine uses it.
type mark struct{ f *os.File }

func openMark(dir string) (*mark, error) {
	f, err := os.OpenFile(filepath.Join(dir, markFile), os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open log %s: %w", dir, err)
	}
	return &mark{f}, nil
}

// set is called when everything up to the offset is durable.
func (m *mark) set(offset uint64) error {
	// As many digits for every offset: the file is overwritten in place.
	if _, err := m.f.WriteAt(fmt.Appendf(nil, "%020d\n", offset), 0); err != nil {
		return fmt.Errorf("mark entry %d as durable: %w", offset, err)
	}
	return nil
}

func (m *mark) close() { m.f.Close() } //nolint:errcheck // nothing waits in it

// readMark returns the marked offset; ok is false for a log without a mark: a
// snapshot, or one whose mark a power failure took.
func readMark(dir string) (offset uint64, ok bool, err error) {
	b, err := os.ReadFile(filepath.Join(dir, markFile))
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(bytes.Trim(b, "\x00")) == 0 {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, fmt.Errorf("open log %s: %w", dir, err)
	}
	digits, whole := strings.CutSuffix(string(b), "\n")
	if offset, err = strconv.ParseUint(digits, 10, 64); err != nil || !whole {
		return 0, false, fmt.Errorf("open log %s: %w: its file %s holds no offset; restore it from a backup, nothing was changed",
			dir, ErrDamaged, markFile)
	}
	return offset, true, nil
}

// openWhole opens a log read only; ErrDamaged if entries are gone that were
// durable. The mark is read first: it may only be older than the store.
func openWhole(dir string) (*store, error) {
	marked, ok, err := readMark(dir)
	if err != nil {
		return nil, err
	}
	s, err := openStore(dir, readOnly)
	if err != nil || !ok {
		return s, err
	}
	tip, err := readTip(s, s.read)
	if err == nil && tip.Offset < marked {
		err = fmt.Errorf("%w: entries up to %d were durable, but the newest is %d, so its end was cut off; restore it from a backup, nothing was changed",
			ErrDamaged, marked, tip.Offset)
	}
	if err != nil {
		s.close()
		return nil, fmt.Errorf("open log %s: %w", dir, err)
	}
	return s, nil
}
