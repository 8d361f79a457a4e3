package retention

import (
	"context"
	"encoding/binary"
	"fmt"
	"iter"
	"time"

	"google.golang.org/protobuf/proto"

	retentionv1 "verbatim/proto/verbatim/retention/v1"
	"verbatim/sidecar/auditlog"
)

// Keys of what is kept beside the chain.
var (
	keyClock    = []byte("retention/clock")
	keyCutting  = []byte("retention/cutting")
	prefixMarks = []byte("retention/mark/")
	prefixHolds = []byte("retention/hold/")
)

func markKey(checkpointID uint64) []byte {
	return binary.BigEndian.AppendUint64(append([]byte{}, prefixMarks...), checkpointID)
}

func holdKey(id string) []byte { return append(append([]byte{}, prefixHolds...), id...) }

// record is a message as it is kept.
func record(key []byte, m proto.Message) (auditlog.Record, error) {
	value, err := proto.Marshal(m)
	if err != nil {
		return auditlog.Record{}, fmt.Errorf("encode %s: %w", key, err)
	}
	if value == nil {
		value = []byte{} // nil would remove the record
	}
	return auditlog.Record{Key: key, Value: value}, nil
}

// read fills m with what is kept under a key; found is false if nothing is.
func read(v *auditlog.View, key []byte, m proto.Message) (found bool, err error) {
	value, err := v.Record(key)
	if err != nil || value == nil {
		return false, err
	}
	return true, decode(key, value, m)
}

func decode(key, value []byte, m proto.Message) error {
	if err := proto.Unmarshal(value, m); err != nil {
		return fmt.Errorf("read record %q: %w: %w", key, auditlog.ErrDamaged, err)
	}
	return nil
}

// marks yields the marks in the order of their checkpoints. After an error it ends.
func marks(ctx context.Context, v *auditlog.View) iter.Seq2[*retentionv1.Mark, error] {
	return func(yield func(*retentionv1.Mark, error) bool) {
		for r, err := range v.Records(ctx, prefixMarks, nil) {
			m := &retentionv1.Mark{}
			if err == nil {
				err = decode(r.Key, r.Value, m)
			}
			if !yield(m, err) || err != nil {
				return
			}
		}
	}
}

// readCounted is how far the clock had counted when it was kept last.
func readCounted(v *auditlog.View) (time.Duration, error) {
	var c retentionv1.Clock
	_, err := read(v, keyClock, &c)
	return millis(c.GetCountedMs()), err
}

// readCutting is the pruning under way; nil if none is.
func readCutting(v *auditlog.View) (*retentionv1.Cutting, error) {
	c := &retentionv1.Cutting{}
	found, err := read(v, keyCutting, c)
	if err != nil || !found {
		return nil, err
	}
	return c, nil
}

func millis(n uint64) time.Duration { return time.Duration(n) * time.Millisecond }
