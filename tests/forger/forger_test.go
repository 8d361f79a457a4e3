package forger

import (
	"bytes"
	"encoding/binary"
	"path/filepath"
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"

	anchorv1 "verbatim/proto/verbatim/anchor/v1"
	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/checkpoint"
	"verbatim/tests/forge"
)

// forger works on one copy of an honest log.
type forger struct {
	*site
	of  *honest
	t   *testing.T
	dir string
}

func newForger(t *testing.T, s *site, of *honest) *forger {
	t.Helper()
	f := &forger{site: s, of: of, t: t, dir: filepath.Join(t.TempDir(), "log")}
	f.check(forge.Copy(of.dir, f.dir))
	return f
}

func (f *forger) check(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

// rewrite changes what the log says, and computes again what follows.
func (f *forger) rewrite(footers forge.Footers, change func(h forge.History) forge.History) {
	f.t.Helper()
	h, err := forge.Read(f.dir)
	f.check(err)
	f.check(change(h).Write(f.dir, footers))
}

// lie changes an answer.
func lie(h forge.History, offset int) forge.History {
	out := h[offset].Event.GetResponse().GetOutput()
	out[len(out)-1] ^= 1
	return h
}

// naming has every Start name other keys.
func naming(h forge.History, keys ...*checkpoint.Key) forge.History {
	for _, i := range h {
		if s := i.Event.GetStart(); s != nil {
			s.CheckpointKeys = nil
			for _, k := range keys {
				s.CheckpointKeys = append(s.CheckpointKeys, k.Public().String())
			}
		}
	}
	return h
}

// Where records are kept.
const (
	notes    = "checkpoint/note/"
	receipts = "anchor/receipt/"
)

func recordKey(prefix string, id uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte(prefix), id)
}

// drop removes notes or receipts, from a checkpoint on.
func (f *forger) drop(prefix string, from uint64) {
	f.t.Helper()
	for id := from; id < uint64(len(f.of.checkpoints)); id++ {
		f.check(forge.Delete(f.dir, "records", recordKey(prefix, id)))
	}
}

// sign makes all notes anew, with the keys that the chain names.
func (f *forger) sign(keys ...*checkpoint.Key) {
	f.t.Helper()
	f.drop(notes, 0)
	v, err := auditlog.OpenReadOnly(f.dir)
	f.check(err)
	defer v.Close()
	var named []string
	for e, err := range v.Entries(f.t.Context(), 0, v.Tip().Offset) {
		f.check(err)
		ev, err := e.Event()
		f.check(err)
		if s := ev.GetStart(); s != nil {
			named = s.GetCheckpointKeys()
		}
		c := ev.GetCheckpoint()
		if c == nil {
			continue
		}
		at := auditlog.CheckpointAt{Offset: e.Offset, ClockMS: ev.GetWallClockMs(), Root: e.Hash(), Checkpoint: c}
		use := slices.DeleteFunc(slices.Clone(keys), func(k *checkpoint.Key) bool { return !slices.Contains(named, k.Public().String()) })
		note, err := checkpoint.Sign(checkpoint.Of(v.ID(), at), use...)
		f.check(err)
		f.record(notes, c.GetCheckpointId(), note)
	}
}

// record puts a record into the log; of receipts see receipt.
func (f *forger) record(prefix string, id uint64, value []byte) {
	f.t.Helper()
	f.check(forge.Put(f.dir, "records", recordKey(prefix, id), value))
}

// stored is a record of a log.
func (f *forger) stored(dir, prefix string, id uint64) []byte {
	f.t.Helper()
	list, err := forge.Stored(dir, "records")
	f.check(err)
	for _, r := range list {
		if bytes.Equal(r.Key, recordKey(prefix, id)) {
			return r.Value
		}
	}
	f.t.Fatalf("%s has no record %s%d", dir, prefix, id)
	return nil
}

// receipt changes a receipt of a log, and puts it into this one.
func (f *forger) receipt(dir string, id uint64, change func(*anchorv1.Receipt)) {
	f.t.Helper()
	r := &anchorv1.Receipt{}
	f.check(proto.Unmarshal(f.stored(dir, receipts, id), r))
	change(r)
	value, err := proto.Marshal(r)
	f.check(err)
	f.record(receipts, id, value)
}

// root is that of a checkpoint, in the log as it is now.
func (f *forger) root(id int) []byte {
	f.t.Helper()
	root := list(f.t, f.dir)[id].Root
	return root[:]
}

// published makes another log on the ledger, with one checkpoint, and returns where.
func (f *forger) published(where *logv1.Anchor) string {
	f.t.Helper()
	f.ledger.writing.Lock()
	defer f.ledger.writing.Unlock()
	dir := filepath.Join(f.t.TempDir(), "other")
	_, err := auditlog.Create(dir, auditlog.Origin{Interval: interval, Anchor: where})
	f.check(err)
	f.open(f.t, dir)
	r := f.begin(f.t, dir, f.old)
	r.exchanges(10)
	r.end(true)
	return dir
}
