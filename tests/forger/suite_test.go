package forger

import (
	"testing"

	"verbatim/tests/soroban"
)

func TestEachForgeryIsCaughtByTheRungThatShouldCatchIt(t *testing.T) {
	s := newSite(t)
	rows := make([]row, len(forgeries))
	t.Run("forgeries", func(t *testing.T) {
		for i, c := range forgeries {
			if c.public && s.ledger == nil {
				continue
			}
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				of := s.honest
				if c.pruned {
					of = s.pruned
				}
				f := newForger(t, s, of)
				c.make(f)
				v := s.judge(t, f.dir, of)
				rows[i] = row{c.group, c.name, v.found}
				for r := range rungs {
					if want := c.by[r]; v.found[r] != want && (s.ledger != nil || !r.ofLedger()) {
						t.Errorf("%s: %q, want %q: %s", headings[r], v.found[r], want, v.text[r])
					}
				}
			})
		}
	})
	if !t.Failed() {
		comparePage(t, rows, s.ledger != nil)
	}
	t.Run("ledger", func(t *testing.T) {
		if s.ledger == nil {
			soroban.LeaveOut(t, "CLAIMED and ANCHORED: "+soroban.ErrNotBuilt.Error())
		}
	})
}
