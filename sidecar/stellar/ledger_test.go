package stellar_test

import (
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
