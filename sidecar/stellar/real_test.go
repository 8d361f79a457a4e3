package stellar_test

import (
	"context"
	"encoding/base64"
	"errors"
	"testing"
	"time"

	"github.com/stellar/go-stellar-sdk/keypair"

	"verbatim/contracts"
	"verbatim/sidecar/stellar"
	"verbatim/tests/soroban"
)

const xlm = 10_000_000 // stroops

// ledger is a real contract on a node that closes ledgers only when told.
type ledger struct {
	t    *testing.T
	node *soroban.Node
	*stellar.Client
	*stellar.Contract
	// writer is the log's; payer another account.
	writer, payer stellar.Signer
	log           [32]byte
}

// deploy starts a node, uploads and creates the contract, and opens a log.
func deploy(t *testing.T) *ledger {
	t.Helper()
	l := &ledger{t: t, node: soroban.Start(t, soroban.Options{}), log: [32]byte{1, 2, 3}}
	l.Client = dial(t, l.node.URL(), soroban.Passphrase)
	l.writer, l.payer = l.account(1000*xlm), l.account(1000*xlm)

	l.succeed(stellar.Upload(contracts.Wasm), payment(l.payer, nil))
	create, id, err := l.Create(contracts.Hash, l.payer.Address(), [32]byte{42})
	if err != nil {
		t.Fatal(err)
	}
	l.succeed(create, payment(l.payer, nil))
	if l.Contract, err = l.Client.Contract(id); err != nil {
		t.Fatal(err)
	}
	open, err := l.Open(l.log, l.writer.Address())
	if err != nil {
		t.Fatal(err)
	}
	l.succeed(open, l.pay())
	return l
}

func dial(t *testing.T, url, passphrase string) *stellar.Client {
	t.Helper()
	c, err := stellar.Dial(url, passphrase)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// account is a new one, with that much on it.
func (l *ledger) account(stroops int64) stellar.Signer {
	l.t.Helper()
	s, err := stellar.KeyFile(writeKey(l.t, keypair.MustRandom().Seed(), 0o600))
	if err != nil {
		l.t.Fatal(err)
	}
	if stroops > 0 {
		l.tell(l.node.Fund(l.t.Context(), s.Address(), stroops))
	}
	return s
}

// tell fails the test when the node did not do as it was told.
func (l *ledger) tell(err error) {
	l.t.Helper()
	if err != nil {
		l.t.Fatal(err)
	}
}

// pay is by the payer, with the writer's authorization.
func (l *ledger) pay() stellar.Payment { return payment(l.payer, l.writer) }

func payment(payer, writer stellar.Signer) stellar.Payment {
	return stellar.Payment{Payer: payer, Writer: writer, MaxFee: 200 * xlm, ValidFor: time.Minute}
}

func (l *ledger) prepare(op stellar.Operation, p stellar.Payment) *stellar.Transaction {
	l.t.Helper()
	tx, err := l.Prepare(l.t.Context(), op, p)
	if err != nil {
		l.t.Fatal(err)
	}
	return tx
}

func (l *ledger) send(tx *stellar.Transaction) {
	l.t.Helper()
	if err := l.Send(l.t.Context(), tx.Envelope); err != nil {
		l.t.Fatal(err)
	}
}

func (l *ledger) close() {
	l.t.Helper()
	l.tell(l.node.CloseLedgers(l.t.Context(), 1))
}

// settle sends a transaction, closes the ledger and finds out.
func (l *ledger) settle(tx *stellar.Transaction) stellar.Outcome {
	l.t.Helper()
	l.send(tx)
	l.close()
	out, err := l.Await(l.t.Context(), tx)
	if err != nil {
		l.t.Fatal(err)
	}
	return out
}

func (l *ledger) succeed(op stellar.Operation, p stellar.Payment) stellar.Outcome {
	l.t.Helper()
	tx := l.prepare(op, p)
	out := l.settle(tx)
	if out.Status != stellar.Success {
		l.t.Fatalf("%s: %s: %v", op, out.Status, out.Err)
	}
	if out.FeeCharged <= 0 || out.FeeCharged > tx.MaxFee {
		l.t.Fatalf("%s cost %d stroops, at most %d was signed", op, out.FeeCharged, tx.MaxFee)
	}
	return out
}

// fails checks an error's kind, and its cause if that is not nil.
func fails(t *testing.T, err error, kind string, cause error) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, it should be of kind %s", kind)
	}
	if got := stellar.Kind(err); got != kind {
		t.Errorf("kind is %s, not %s: %v", got, kind, err)
	}
	if cause != nil && !errors.Is(err, cause) {
		t.Errorf("error is %v, not %v", err, cause)
	}
}

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
		if string(out.Envelope) != string(tx.Envelope) {
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

func TestFeeCeiling(t *testing.T) {
	l := deploy(t)
	commit := l.Commit(l.log, 3, [32]byte{5}, 77)
	p := l.pay()
	p.MaxFee = l.prepare(commit, p).MaxFee - 1
	_, err := l.Prepare(t.Context(), commit, p)
	fails(t, err, "fee", nil)
	var fee *stellar.FeeError
	if !errors.As(err, &fee) || fee.Ceiling != p.MaxFee || fee.Needed != p.MaxFee+1 {
		t.Fatalf("error is %v", err)
	}
	p.MaxFee = fee.Needed
	l.prepare(commit, p)

	l.tell(l.node.Misbehave(t.Context(), "fee_surge", -1))
	_, err = l.Prepare(t.Context(), commit, p)
	fails(t, err, "fee", nil)
	l.tell(l.node.Behave(t.Context()))
	l.succeed(commit, p)
}

func TestSendRefusals(t *testing.T) {
	l := deploy(t)
	ctx := t.Context()
	commit := func(id uint64) stellar.Operation { return l.Commit(l.log, id, [32]byte{5}, 77) }

	t.Run("used sequence number", func(t *testing.T) {
		first, second := l.prepare(commit(1), l.pay()), l.prepare(commit(1), l.pay())
		if first.Sequence != second.Sequence || first.Hash == second.Hash {
			t.Fatal("they should be two with one number")
		}
		l.settle(first)
		err := l.Send(ctx, second.Envelope)
		fails(t, err, "sequence", stellar.ErrBadSequence)
		if !stellar.Rejected(err) {
			t.Error("it was not rejected")
		}
		// A transaction that is in a ledger is refused the same way.
		fails(t, l.Send(ctx, first.Envelope), "sequence", stellar.ErrBadSequence)
	})
	t.Run("too late", func(t *testing.T) {
		p := l.pay()
		p.ValidFor = time.Second
		tx := l.prepare(commit(2), p)
		l.tell(l.node.Advance(ctx, 10*time.Second, 2))
		fails(t, l.Send(ctx, tx.Envelope), "expired", stellar.ErrTooLate)
	})
	t.Run("no funds", func(t *testing.T) {
		poor := l.account(1*xlm + 1000)
		fails(t, l.Send(ctx, l.prepare(commit(2), payment(poor, l.writer)).Envelope), "funds", stellar.ErrNoFunds)
	})
	t.Run("no account", func(t *testing.T) {
		_, err := l.Prepare(ctx, commit(2), payment(l.account(0), l.writer))
		fails(t, err, "funds", stellar.ErrNoAccount)
	})
	t.Run("twice", func(t *testing.T) {
		tx := l.prepare(commit(2), l.pay())
		l.send(tx)
		l.send(tx) // DUPLICATE
		err := l.Send(ctx, l.prepare(commit(3), l.pay()).Envelope)
		fails(t, err, "try_again", stellar.ErrTryAgainLater)
		if stellar.Rejected(err) {
			t.Error("it is rejected")
		}
		l.close()
	})
	for how, c := range map[string]struct {
		kind  string
		cause error
	}{
		"bad_seq":          {"sequence", stellar.ErrBadSequence},
		"insufficient_fee": {"fee", stellar.ErrFeeTooSmall},
		"try_again_later":  {"try_again", stellar.ErrTryAgainLater},
	} {
		t.Run(how, func(t *testing.T) {
			tx := l.prepare(commit(9), l.pay())
			l.tell(l.node.Misbehave(ctx, how, 1))
			fails(t, l.Send(ctx, tx.Envelope), c.kind, c.cause)
			l.settle(tx)
		})
	}
}

func TestOutcomes(t *testing.T) {
	l := deploy(t)
	ctx := t.Context()
	rival := l.account(1000 * xlm)
	first := l.prepare(l.Commit(l.log, 1, [32]byte{1}, 1), l.pay())
	second := l.prepare(l.Commit(l.log, 1, [32]byte{2}, 1), payment(rival, l.writer))
	is := func(tx *stellar.Transaction, want stellar.Status) stellar.Outcome {
		t.Helper()
		out, err := l.Outcome(ctx, tx.Hash)
		if err != nil || out.Status != want {
			t.Fatalf("it is %s, not %s: %v", out.Status, want, err)
		}
		return out
	}
	is(first, stellar.Unknown)
	l.send(first)
	l.send(second)
	is(first, stellar.Unknown)
	l.close()
	won, lost := is(first, stellar.Success), is(second, stellar.Failed)
	if won.Err != nil || won.Ledger != lost.Ledger {
		t.Errorf("the winner: %+v", won)
	}
	var failed *stellar.FailedError
	if !errors.As(lost.Err, &failed) || failed.Code != "INVOKE_HOST_FUNCTION_TRAPPED" || lost.FeeCharged <= 0 {
		t.Errorf("the loser: %+v", lost)
	}
	if failed.Contract != 0 && failed.Contract != contracts.RootDiffers {
		t.Errorf("the contract's error is %v", failed.Contract)
	}
	if _, err := stellar.CheckReceipt(soroban.Passphrase, l.ID(), second.Hash, lost.Envelope, lost.Result); err == nil {
		t.Error("a failed commit is a receipt")
	}
	l.tell(l.node.Forget(ctx))
	l.close()
	if out := is(first, stellar.Unknown); out.OldestLedger <= won.Ledger || out.LatestLedger < out.OldestLedger {
		t.Errorf("the server keeps ledgers %d to %d, and forgot %d", out.OldestLedger, out.LatestLedger, won.Ledger)
	}
}

func TestAwait(t *testing.T) {
	l := deploy(t)
	commit := l.Commit(l.log, 1, [32]byte{1}, 1)

	t.Run("lost", func(t *testing.T) {
		tx := l.prepare(commit, l.pay())
		l.tell(l.node.Misbehave(t.Context(), "swallow", 1))
		l.send(tx)
		l.tell(l.node.Advance(t.Context(), 2*time.Minute, 20))
		out, err := l.Await(t.Context(), tx)
		fails(t, err, "expired", stellar.ErrExpired)
		if !out.LatestClosedAt.After(tx.ValidUntil) {
			t.Errorf("the newest ledger closed at %s, it was valid until %s", out.LatestClosedAt, tx.ValidUntil)
		}
	})
	t.Run("late", func(t *testing.T) {
		tx := l.prepare(commit, l.pay())
		l.tell(l.node.Misbehave(t.Context(), "not_found", 2))
		if out := l.settle(tx); out.Status != stellar.Success {
			t.Errorf("it is %s", out.Status)
		}
	})
	t.Run("given up", func(t *testing.T) {
		why := errors.New("enough")
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(why)
		_, err := l.Await(ctx, l.prepare(l.Commit(l.log, 2, [32]byte{1}, 1), l.pay()))
		if !errors.Is(err, why) {
			t.Errorf("error is %v", err)
		}
	})
}

func TestWrongNetwork(t *testing.T) {
	l := deploy(t)
	ctx := t.Context()
	other := dial(t, l.node.URL(), "Some Other Network")
	tx := l.prepare(l.Commit(l.log, 1, [32]byte{1}, 1), l.pay())
	_, prepareErr := other.Prepare(ctx, l.Commit(l.log, 1, [32]byte{1}, 1), l.pay())
	_, outcomeErr := other.Outcome(ctx, tx.Hash)
	for name, err := range map[string]error{
		"check": other.CheckNetwork(ctx), "prepare": prepareErr, "send": other.Send(ctx, tx.Envelope), "outcome": outcomeErr,
	} {
		t.Run(name, func(t *testing.T) { fails(t, err, "wrong_network", stellar.ErrWrongNetwork) })
	}
}

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

// badSigner claims another address than its key's.
type badSigner struct {
	stellar.Signer
	address string
	err     error
}

func (s badSigner) Address() string { return s.address }

func (s badSigner) Sign(ctx context.Context, hash [32]byte) ([]byte, error) {
	if s.err != nil {
		return nil, s.err
	}
	return s.Signer.Sign(ctx, hash)
}

func TestBadSigners(t *testing.T) {
	l := deploy(t)
	down := errors.New("the key service is down")
	commit := l.Commit(l.log, 3, [32]byte{5}, 77)
	for name, c := range map[string]struct {
		p     stellar.Payment
		cause error
	}{
		"writer with another key": {payment(l.payer, badSigner{l.payer, l.writer.Address(), nil}), stellar.ErrNotAuthorized},
		"payer with another key":  {payment(badSigner{l.writer, l.payer.Address(), nil}, l.writer), stellar.ErrNotAuthorized},
		"writer fails":            {payment(l.payer, badSigner{l.writer, l.writer.Address(), down}), down},
		"payer fails":             {payment(badSigner{l.payer, l.payer.Address(), down}, l.writer), down},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := l.Prepare(t.Context(), commit, c.p)
			fails(t, err, "auth", c.cause)
		})
	}
	l.succeed(commit, l.pay())
}

// TestForgedAuthorization: only the ledger checks a signature of the right address
// over something else.
func TestForgedAuthorization(t *testing.T) {
	l := deploy(t)
	tx := l.prepare(l.Commit(l.log, 3, [32]byte{5}, 77), l.pay())
	forged := append([]byte(nil), tx.Envelope...)
	forged[len(forged)-1] ^= 1
	fails(t, l.Send(t.Context(), forged), "auth", stellar.ErrNotAuthorized)
	if _, err := stellar.CheckReceipt(soroban.Passphrase, l.ID(), tx.Hash, forged, nil); err == nil {
		t.Error("it is a receipt")
	}
	fails(t, l.Send(t.Context(), []byte(base64.StdEncoding.EncodeToString(tx.Envelope))), "internal", nil)
}
