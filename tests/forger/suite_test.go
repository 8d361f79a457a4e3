package forger

import (
	"path/filepath"
	"testing"

	"verbatim/tests/forge"
	"verbatim/tests/soroban"
)

// forgery is one dishonest log, and what has to catch it.
type forgery struct {
	group, name string
	// public says that it can only be made where there is a ledger.
	public bool
	// make changes a copy of the honest log in place.
	make func(f *forger)
	// by is the first finding of each rung that catches it, "code offset".
	by map[rung]string
}

// forger works on one copy.
type forger struct {
	*site
	t   *testing.T
	dir string
}

func (f *forger) check(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

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
				f := &forger{site: s, t: t, dir: filepath.Join(t.TempDir(), "log")}
				f.check(forge.Copy(s.honest.dir, f.dir))
				c.make(f)
				v := s.judge(t, f.dir)
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
