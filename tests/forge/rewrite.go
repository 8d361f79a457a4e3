package forge

import (
	"fmt"

	"github.com/linxGnu/grocksdb"
	"google.golang.org/protobuf/proto"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/chain"
)

// Rewrite changes events and then computes every hash and every footer again:
// what a forger does who knows the format. The indexes go, since they are built
// again. The log agrees with itself after it.
func Rewrite(dir string, edit func(offset uint64, ev *logv1.Event) error) error {
	d, err := open(dir)
	if err != nil {
		return err
	}
	defer d.close()
	r := &rewriter{disk: d, batch: grocksdb.NewWriteBatch(), tree: chain.NewTree(), edit: edit}
	defer r.batch.Destroy()
	values, err := d.values()
	if err != nil {
		return err
	}
	for _, v := range values {
		if err := r.entry(v[RawAt:]); err != nil {
			return err
		}
	}
	if err := d.forgetIndex(r.batch); err != nil {
		return err
	}
	tip := append(key(r.next-1), r.prev[:]...)
	r.batch.PutCF(d.family("state"), []byte("tip"), tip)
	if err := d.db.Write(d.write, r.batch); err != nil {
		return fmt.Errorf("write forged log: %w", err)
	}
	return nil
}

type rewriter struct {
	disk    *disk
	batch   *grocksdb.WriteBatch
	edit    func(uint64, *logv1.Event) error
	tree    *chain.Tree
	outputs chain.Root
	next    uint64
	prev    chain.Hash
}

func (r *rewriter) entry(raw []byte) error {
	var ev logv1.Event
	if err := proto.Unmarshal(raw, &ev); err != nil {
		return fmt.Errorf("decode to forge: %w", err)
	}
	before := proto.Clone(&ev)
	if err := r.edit(r.next, &ev); err != nil {
		return err
	}
	if err := r.footer(&ev); err != nil {
		return err
	}
	if !proto.Equal(before, &ev) {
		var err error
		if raw, err = proto.Marshal(&ev); err != nil {
			return fmt.Errorf("encode forged event: %w", err)
		}
	}
	r.store(raw)
	return nil
}

// store puts an event at the next offset, with all its hashes.
func (r *rewriter) store(raw []byte) {
	eventHash := chain.EventHash(raw)
	value := append(append(append([]byte(nil), eventHash[:]...), r.prev[:]...), raw...)
	r.batch.PutCF(r.disk.family("entries"), key(r.next), value)
	r.prev = chain.EntryHash(r.prev, r.next, raw)
	r.next++
	r.tree.Add(r.prev)
}

// footer recomputes a checkpoint's roots and takes outputs into account.
func (r *rewriter) footer(ev *logv1.Event) error {
	if out := ev.GetResponse(); out != nil {
		r.outputs.Add(chain.EventHash(out.GetOutput()))
	}
	c := ev.GetCheckpoint()
	if c == nil {
		return nil
	}
	merkle, root := r.tree.Root(), r.outputs.Sum()
	c.OutputRoot, c.MerkleRoot = root[:], merkle[:]
	r.outputs = chain.Root{}
	r.batch.PutCF(r.disk.family("checkpoints"), key(c.GetCheckpointId()), checkpointRecord(r.next, r.tree))
	return nil
}
