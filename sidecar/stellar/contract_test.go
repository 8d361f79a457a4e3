package stellar_test

import (
	"bytes"
	"errors"
	"testing"

	"verbatim/contracts"
	"verbatim/sidecar/stellar"
	"verbatim/tests/soroban"
)

func TestCommitIsReadBack(t *testing.T) {
	l := deploy(t)
	ctx := t.Context()
	if code, err := l.Executable(ctx); err != nil || code != contracts.Hash {
		t.Fatalf("the contract runs code %x, not %x: %v", code, contracts.Hash, err)
	}
	if state, err := l.Log(ctx, l.log); err != nil || state != (stellar.LogState{Writer: l.writer.Address()}) {
		t.Fatalf("a new log is %+v: %v", state, err)
	}
	var want []stellar.Root
	for _, r := range []stellar.Root{
		{CheckpointID: 0, Hash: [32]byte{9}, TimestampMS: 1},
		{CheckpointID: 1, Hash: [32]byte{8}, TimestampMS: 1_700_000_000_000},
		{CheckpointID: 7, Hash: [32]byte{7}, TimestampMS: 1<<56 + 1},
		{CheckpointID: 1 << 60, Hash: [32]byte{31: 6}, TimestampMS: 1<<64 - 1},
	} {
		out := l.succeed(l.Commit(l.log, r.CheckpointID, r.Hash, r.TimestampMS), l.pay())
		r.Ledger, r.ClosedAt = out.Ledger, out.ClosedAt
		want = append(want, r)
		if state, err := l.Log(ctx, l.log); err != nil || state.Latest == nil || *state.Latest != r {
			t.Errorf("latest is %+v, not %+v: %v", state.Latest, r, err)
		}
	}
	roots, err := l.Roots(ctx, l.log, ids(0, 450, 1<<60))
	if err != nil {
		t.Fatal(err)
	}
	if len(roots) != len(want) {
		t.Errorf("%d roots are stored, not %d", len(roots), len(want))
	}
	for _, r := range want {
		if roots[r.CheckpointID] != r {
			t.Errorf("root is %+v, not %+v", roots[r.CheckpointID], r)
		}
	}
}

// ids are from to below to, and some more.
func ids(from, to uint64, more ...uint64) []uint64 {
	var list []uint64
	for id := from; id < to; id++ {
		list = append(list, id)
	}
	return append(list, more...)
}

// TestReceipts: both who pays for themselves and who is paid for.
func TestReceipts(t *testing.T) {
	l := deploy(t)
	for i, p := range []stellar.Payment{l.pay(), payment(l.writer, nil), payment(l.writer, l.writer)} {
		want := stellar.CommitCall{LogID: l.log, CheckpointID: uint64(i), Root: [32]byte{5}, TimestampMS: 77, Source: p.Payer.Address()}
		tx := l.prepare(l.Commit(l.log, want.CheckpointID, want.Root, want.TimestampMS), p)
		out := l.settle(tx)
		want.FeeCharged = out.FeeCharged
		if !bytes.Equal(out.Envelope, tx.Envelope) {
			t.Error("the ledger has other bytes than were sent")
		}
		got, err := stellar.CheckReceipt(soroban.Passphrase, l.ID(), tx.Hash, out.Envelope, out.Result)
		if err != nil || got != want {
			t.Errorf("receipt is of %+v, not %+v: %v", got, want, err)
		}
	}
}

func TestSameRootAgain(t *testing.T) {
	l := deploy(t)
	first := l.succeed(l.Commit(l.log, 3, [32]byte{5}, 77), l.pay())
	again := l.succeed(l.Commit(l.log, 3, [32]byte{5}, 78), l.pay())
	if first.Ledger == again.Ledger {
		t.Fatal("both are in one ledger")
	}
	state, err := l.Log(t.Context(), l.log)
	if err != nil || state.Latest == nil || state.Latest.Ledger != first.Ledger || state.Latest.TimestampMS != 77 {
		t.Errorf("the second commit changed the root: %+v: %v", state.Latest, err)
	}
}

func TestHandOver(t *testing.T) {
	l := deploy(t)
	heir := l.account(1000 * xlm)
	propose, err := l.Propose(l.log, heir.Address())
	if err != nil {
		t.Fatal(err)
	}
	l.succeed(propose, l.pay())
	if state, err := l.Log(t.Context(), l.log); err != nil || state.Proposed != heir.Address() || state.Writer != l.writer.Address() {
		t.Fatalf("after the proposal: %+v: %v", state, err)
	}
	l.succeed(l.Accept(l.log), payment(heir, nil))
	if state, err := l.Log(t.Context(), l.log); err != nil || state.Proposed != "" || state.Writer != heir.Address() {
		t.Fatalf("after the acceptance: %+v: %v", state, err)
	}
	l.succeed(l.Commit(l.log, 0, [32]byte{1}, 1), payment(l.payer, heir))
	_, err = l.Prepare(t.Context(), l.Commit(l.log, 1, [32]byte{1}, 1), l.pay())
	fails(t, err, "auth", stellar.ErrNotAuthorized)
}

func TestContractRefuses(t *testing.T) {
	l := deploy(t)
	l.succeed(l.Commit(l.log, 3, [32]byte{5}, 77), l.pay())
	reopen, err := l.Open(l.log, l.writer.Address())
	if err != nil {
		t.Fatal(err)
	}
	stranger := l.account(1000 * xlm)
	missing, err := l.Client.Contract("CAAQCAIBAEAQCAIBAEAQCAIBAEAQCAIBAEAQCAIBAEAQCAIBAEAQC526")
	if err != nil {
		t.Fatal(err)
	}
	create := func(code [32]byte, salt byte) stellar.Operation {
		op, _, err := l.Create(code, l.payer.Address(), [32]byte{salt})
		if err != nil {
			t.Fatal(err)
		}
		return op
	}
	for name, c := range map[string]struct {
		op    stellar.Operation
		p     stellar.Payment
		kind  string
		cause error
	}{
		"open again":     {reopen, l.pay(), "contract", contracts.AlreadyOpen},
		"not open":       {l.Commit([32]byte{99}, 1, [32]byte{}, 0), l.pay(), "contract", contracts.NotOpen},
		"root differs":   {l.Commit(l.log, 3, [32]byte{6}, 77), l.pay(), "contract", contracts.RootDiffers},
		"id below":       {l.Commit(l.log, 2, [32]byte{5}, 77), l.pay(), "contract", contracts.IDNotIncreasing},
		"not proposed":   {l.Accept(l.log), l.pay(), "contract", contracts.NotProposed},
		"stranger":       {l.Commit(l.log, 4, [32]byte{5}, 77), payment(l.payer, stranger), "auth", stellar.ErrNotAuthorized},
		"stranger pays":  {l.Commit(l.log, 4, [32]byte{5}, 77), payment(stranger, nil), "auth", stellar.ErrNotAuthorized},
		"no contract":    {missing.Commit(l.log, 4, [32]byte{5}, 77), l.pay(), "contract", stellar.ErrNoContract},
		"no code":        {create([32]byte{1}, 1), payment(l.payer, nil), "contract", stellar.ErrNoContract},
		"not the deploy": {create(contracts.Hash, 1), payment(stranger, nil), "auth", stellar.ErrNotAuthorized},
		"create again":   {create(contracts.Hash, 42), payment(l.payer, nil), "failed", nil},
	} {
		t.Run(name, func(t *testing.T) {
			if name == "no contract" {
				if _, err := missing.Log(t.Context(), l.log); !errors.Is(err, stellar.ErrNoContract) {
					t.Errorf("reading its log: %v", err)
				}
			}
			_, err := l.Prepare(t.Context(), c.op, c.p)
			fails(t, err, c.kind, c.cause)
		})
	}
	if _, err := l.Log(t.Context(), [32]byte{99}); !errors.Is(err, stellar.ErrNotOpen) {
		t.Errorf("a log that is not open: %v", err)
	}
}
