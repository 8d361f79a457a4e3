package stellar_test

import (
	"testing"

	"verbatim/contracts"
	"verbatim/sidecar/stellar"
)

func TestExpiredEntries(t *testing.T) {
	l := deploy(t)
	ctx := t.Context()
	l.succeed(l.Commit(l.log, 1, [32]byte{1}, 1), l.pay())
	expire := func(entries ...stellar.Entry) {
		t.Helper()
		for _, e := range entries {
			l.tell(l.node.Expire(ctx, e.Key(t)))
		}
	}
	expired := func() []stellar.Entry {
		t.Helper()
		list, err := l.Expired(ctx, l.log, ids(0, 10))
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	all := l.Entries(l.log, contracts.Hash, 1)
	if list := expired(); len(list) != 0 {
		t.Fatalf("%v have expired already", list)
	}

	t.Run("shown", func(t *testing.T) {
		expire(all...)
		state, err := l.Log(ctx, l.log)
		if err != nil || !state.Archived || state.Latest == nil || !state.Latest.Archived || state.Latest.Hash != [32]byte{1} {
			t.Errorf("the log is %+v: %v", state, err)
		}
		roots, err := l.Roots(ctx, l.log, []uint64{1})
		if err != nil || !roots[1].Archived || roots[1].Hash != [32]byte{1} {
			t.Errorf("the root is %+v: %v", roots[1], err)
		}
	})
	t.Run("restored", func(t *testing.T) {
		list := expired()
		var names []string
		for _, e := range list {
			names = append(names, e.Name)
		}
		if len(names) != 4 || names[0] != "instance" || names[1] != "code" || names[2] != "log" || names[3] != "root 1" {
			t.Fatalf("expired are %q", names)
		}
		restore, err := stellar.Restore(list...)
		if err != nil {
			t.Fatal(err)
		}
		l.succeed(restore, payment(l.payer, nil))
		if list := expired(); len(list) != 0 {
			t.Fatalf("%v are still expired", list)
		}
		if state, err := l.Log(ctx, l.log); err != nil || state.Archived {
			t.Errorf("the log is %+v: %v", state, err)
		}
	})
	t.Run("on the way", func(t *testing.T) {
		expire(all[:3]...)
		tx := l.prepare(l.Commit(l.log, 2, [32]byte{2}, 2), l.pay())
		if tx.Restores == 0 {
			t.Error("it restores nothing")
		}
		if out := l.settle(tx); out.Status != stellar.Success {
			t.Fatalf("%s: %v", out.Status, out.Err)
		}
		if list := expired(); len(list) != 0 {
			t.Errorf("%v are still expired", list)
		}
	})
	t.Run("between", func(t *testing.T) {
		tx := l.prepare(l.Commit(l.log, 3, [32]byte{3}, 3), l.pay())
		expire(all[2])
		out := l.settle(tx)
		if out.Status != stellar.Failed {
			t.Fatalf("it is %s", out.Status)
		}
		fails(t, out.Err, "archived", stellar.ErrArchived)
		l.succeed(l.Commit(l.log, 3, [32]byte{3}, 3), l.pay())
	})
}
