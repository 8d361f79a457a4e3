package forge

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/linxGnu/grocksdb"

	"verbatim/sidecar/chain"
)

// Cut drops all entries behind an offset and whatever would tell of them in the
// log's own directory, but for what is kept beside the chain. The log agrees with
// itself after it.
func Cut(dir string, last uint64) error {
	d, err := open(dir)
	if err != nil {
		return err
	}
	defer d.close()
	batch := grocksdb.NewWriteBatch()
	defer batch.Destroy()
	values, err := d.values()
	if err != nil {
		return err
	}
	if last >= uint64(len(values)) {
		return fmt.Errorf("cut log: it has no entry %d", last)
	}
	batch.DeleteRangeCF(d.family("entries"), key(0), key(^uint64(0)))
	for offset, v := range values[:last+1] {
		batch.PutCF(d.family("entries"), key(uint64(offset)), v)
	}
	checkpoints, err := d.stored("checkpoints")
	if err != nil {
		return err
	}
	for _, c := range checkpoints {
		if binary.BigEndian.Uint64(c.Value) > last {
			batch.DeleteCF(d.family("checkpoints"), c.Key)
		}
	}
	if err := d.forgetIndex(batch); err != nil {
		return err
	}
	value := values[last]
	hash := chain.EntryHash(chain.Hash(value[PrevEntryHashAt:RawAt]), last, value[RawAt:])
	batch.PutCF(d.family("state"), []byte("tip"), append(key(last), hash[:]...))
	if err := d.db.Write(d.write, batch); err != nil {
		return fmt.Errorf("write cut log: %w", err)
	}
	if err := os.Remove(filepath.Join(dir, "durable")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("cut log: %w", err)
	}
	return nil
}
