package e2e

import (
	"bytes"
	"fmt"
	"sort"
	"strings"
)

// tracedFile is what a trace shows of one file or socket.
type tracedFile struct {
	octets []byte // all that was written, one call behind the other
	ends   []int  // len(octets) behind each of writes
	writes []straceCall
	syncs  []straceCall // those that succeeded
}

// tracedFiles sorts calls by what they write to. Calls that name a position are
// none that a WAL or a socket is written with.
func tracedFiles(calls []straceCall) (map[string]*tracedFile, error) {
	files := map[string]*tracedFile{}
	for _, c := range calls {
		f := files[c.file]
		if f == nil {
			f = &tracedFile{}
			files[c.file] = f
		}
		switch c.name {
		case "write", "writev", "sendto", "sendmsg":
			f.octets = append(f.octets, c.data...)
			f.ends = append(f.ends, len(f.octets))
			f.writes = append(f.writes, c)
		case "fdatasync", "fsync":
			if c.result == 0 {
				f.syncs = append(f.syncs, c)
			}
		default:
			if isWAL(c.file) {
				return nil, fmt.Errorf("the WAL is written by %s, which this check does not understand", c.name)
			}
		}
	}
	return files, nil
}

func isWAL(file string) bool {
	return strings.HasSuffix(file, ".log") && strings.Contains(file, "/db/")
}

// writeOf is the call that wrote an octet.
func (f *tracedFile) writeOf(at int) straceCall { return f.writes[sort.SearchInts(f.ends, at+1)] }

// syncedAt is the line on which the first sync returned that had begun after an
// octet was written, 0 if there is none.
func (f *tracedFile) syncedAt(at int) int {
	written := f.writeOf(at).ended
	for _, s := range f.syncs {
		if s.began > written {
			return s.ended
		}
	}
	return 0
}

// RocksDB's WAL has blocks of 32 KiB that begin with a header of 7 octets each; a
// record that is cut at a block's end goes on behind the next header.
const (
	walBlock  = 32 << 10
	walHeader = 7
)

// withoutBlockHeaders is the WAL with each record in one piece.
func withoutBlockHeaders(wal []byte) []byte {
	var out []byte
	for at := 0; at < len(wal); at += walBlock {
		out = append(out, wal[min(at+walHeader, len(wal)):min(at+walBlock, len(wal))]...)
	}
	return out
}

// inWAL is where an octet of withoutBlockHeaders stands in the WAL.
func inWAL(at int) int {
	const payload = walBlock - walHeader
	return at/payload*walBlock + walHeader + at%payload
}

// durability finds the lines on which entries were durable.
type durability struct {
	wals    []*tracedFile
	records [][]byte // of each, without block headers
}

func newDurability(files map[string]*tracedFile) *durability {
	d := &durability{}
	for name, f := range files {
		if isWAL(name) {
			d.wals, d.records = append(d.wals, f), append(d.records, withoutBlockHeaders(f.octets))
		}
	}
	return d
}

// at is the line on which the sync returned that covers a whole entry, given as
// the bytes that are stored.
func (d *durability) at(raw []byte) (line int, err error) {
	for i, f := range d.wals {
		first := bytes.Index(d.records[i], raw)
		if first < 0 {
			continue
		}
		if line = f.syncedAt(inWAL(first + len(raw) - 1)); line == 0 {
			return 0, fmt.Errorf("it was never synced")
		}
		return line, nil
	}
	return 0, fmt.Errorf("it is in no WAL")
}

// checkReleases requires every recorded exchange to have been released twice, its
// request and its answer, each after a sync that covers its entry.
func checkReleases(calls []straceCall, list []*recorded) (checked int, violations []error) {
	files, err := tracedFiles(calls)
	if err != nil {
		return 0, []error{err}
	}
	released, err := tracedReleases(files)
	if err != nil {
		return 0, []error{err}
	}
	d := newDurability(files)
	check := func(what string, offset uint64, raw []byte, release int) {
		durable, err := d.at(raw)
		switch {
		case err != nil:
			violations = append(violations, fmt.Errorf("%s %d: %w", what, offset, err))
		case release == 0:
			violations = append(violations, fmt.Errorf("%s %d: no reply released it", what, offset))
		case release <= durable:
			violations = append(violations, fmt.Errorf("%s %d: released on line %d, durable on line %d", what, offset, release, durable))
		}
		checked++
	}
	for _, x := range list {
		r := released[x.sentHeader(seedHeader)]
		check("request", x.request.Offset, x.request.Raw, r.request)
		check("response", x.response.Offset, x.response.Raw, r.answer)
	}
	return checked, violations
}
