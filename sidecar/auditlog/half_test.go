package auditlog_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"verbatim/sidecar/auditlog"
	"verbatim/tests/forge"
)

// A block is two values. Without one of them its entries can't be read, and it is
// said which is gone; the blocks beside it can.
func TestHalfABlockIsSaidToBeDamaged(t *testing.T) {
	dir := newLog(t, 10)
	l := open(t, dir, auditlog.Options{})
	fill(t, l, rand.New(rand.NewPCG(5, 6)), 45)
	closeLog(t, l)
	for _, block := range []uint64{10, 30} {
		for family, c := range map[string]struct {
			want error
			says string
		}{
			"links":  {auditlog.ErrDamaged, "their block has another number of hashes than of events"},
			"packed": {auditlog.ErrNoEntry, "no such entry"},
		} {
			copied := fmt.Sprint(dir, family, block)
			if err := forge.Copy(dir, copied); err != nil {
				t.Fatal(err)
			}
			if err := forge.Delete(copied, family, []byte(number(block))); err != nil {
				t.Fatal(err)
			}
			v, err := auditlog.OpenReadOnly(copied)
			if err != nil {
				t.Fatal(err)
			}
			for offset := range v.Tip().Offset + 1 {
				_, err := v.Entry(offset)
				if gone := offset/10 == block/10; gone != errors.Is(err, c.want) || gone && !strings.Contains(err.Error(), c.says) || !gone && err != nil {
					t.Errorf("%s of %d are gone, entry %d: %v", family, block, offset, err)
				}
			}
			v.Close()
		}
	}
}
