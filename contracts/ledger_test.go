package contracts_test

import (
	"net/http"
	"regexp"
	"testing"

	"github.com/stellar/go-stellar-sdk/clients/rpcclient"
	"github.com/stellar/go-stellar-sdk/keypair"
	protocol "github.com/stellar/go-stellar-sdk/protocols/rpc"
	"github.com/stellar/go-stellar-sdk/txnbuild"
	"github.com/stellar/go-stellar-sdk/xdr"

	"verbatim/tests/soroban"
)

// ledger is a network of one node with the contract on it. It closes a ledger only when a test has it do so.
type ledger struct {
	node     *soroban.Node
	rpc      *rpcclient.Client
	contract xdr.ScAddress
	nonce    int64 // the newest that an authorization has
}

// moment is a closed ledger and when it closed, Unix seconds.
type moment struct {
	ledger   uint32
	closedAt uint64
}

// applied is a transaction that is in a ledger.
type applied struct {
	at        moment
	success   bool
	operation xdr.InvokeHostFunctionResultCode
	value     xdr.ScVal // after a success
	events    []xdr.ContractEvent
	fee       int64 // charged, in stroops
	resources xdr.SorobanResources
}

// newLedger starts a node and puts the contract on its ledger.
func newLedger(t testing.TB) *ledger {
	t.Helper()
	l := &ledger{node: soroban.Start(t, soroban.Options{})}
	l.rpc = rpcclient.NewClient(l.node.URL(), &http.Client{Transport: &http.Transport{DisableKeepAlives: true}})
	t.Cleanup(func() { _ = l.rpc.Close() }) // says only that it was closed
	l.deploy(t)
	return l
}

// account makes an account with 1,000 XLM.
func (l *ledger) account(t testing.TB) *keypair.Full {
	t.Helper()
	key := keypair.MustRandom()
	if err := l.node.Fund(t.Context(), key.Address(), 1_000*1e7); err != nil {
		t.Fatal(err)
	}
	return key
}

// now is the newest closed ledger.
func (l *ledger) now(t testing.TB) moment {
	t.Helper()
	h, err := l.rpc.GetHealth(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return moment{h.LatestLedger, uint64(h.LatestLedgerCloseTime)}
}

// advance moves the ledger's number on, so that the next transaction is in the ledger of this number.
func (l *ledger) advanceTo(t testing.TB, number uint32) {
	t.Helper()
	before := number - 1
	// An advance ends with the close of one ledger.
	if err := l.node.Advance(t.Context(), 0, before-l.now(t).ledger-1); err != nil {
		t.Fatal(err)
	}
	if got := l.now(t).ledger; got != before {
		t.Fatalf("the newest ledger is %d, want %d", got, before)
	}
}

// build makes a transaction of one operation, signed by its source.
func (l *ledger) build(t testing.TB, source *keypair.Full, op txnbuild.InvokeHostFunction) string {
	t.Helper()
	account, err := l.rpc.LoadAccount(t.Context(), source.Address())
	if err != nil {
		t.Fatal(err)
	}
	tx, err := txnbuild.NewTransaction(txnbuild.TransactionParams{
		SourceAccount:        account,
		IncrementSequenceNum: true,
		Operations:           []txnbuild.Operation{&op},
		BaseFee:              txnbuild.MinBaseFee,
		Preconditions:        txnbuild.Preconditions{TimeBounds: txnbuild.NewInfiniteTimeout()},
	})
	if err != nil {
		t.Fatal(err)
	}
	if tx, err = tx.Sign(soroban.Passphrase, source); err != nil {
		t.Fatal(err)
	}
	envelope, err := tx.Base64()
	if err != nil {
		t.Fatal(err)
	}
	return envelope
}

// simulated is what a simulation says: what to declare, or the host's error, as in Error(Contract, #1).
type simulated struct {
	data  xdr.SorobanTransactionData
	value xdr.ScVal
	err   string
}

var hostError = regexp.MustCompile(`^HostError: (Error\(\w+, #?\w+\))`)

func (l *ledger) simulate(t testing.TB, source *keypair.Full, op txnbuild.InvokeHostFunction, authMode string) simulated {
	t.Helper()
	answer, err := l.rpc.SimulateTransaction(t.Context(), protocol.SimulateTransactionRequest{
		Transaction: l.build(t, source, op), AuthMode: authMode,
	})
	if err != nil {
		t.Fatal(err)
	}
	if answer.Error != "" {
		m := hostError.FindStringSubmatch(answer.Error)
		if m == nil {
			t.Fatalf("simulation failed before the contract did: %s", answer.Error)
		}
		return simulated{err: m[1]}
	}
	var s simulated
	decode(t, answer.TransactionDataXDR, &s.data)
	decode(t, *answer.Results[0].ReturnValueXDR, &s.value)
	return s
}

// send has an operation with its declared resources put into the next ledger.
func (l *ledger) send(t testing.TB, source *keypair.Full, op txnbuild.InvokeHostFunction, data xdr.SorobanTransactionData) applied {
	t.Helper()
	op.Ext = xdr.TransactionExt{V: 1, SorobanData: &data}
	sent, err := l.rpc.SendTransaction(t.Context(), protocol.SendTransactionRequest{Transaction: l.build(t, source, op)})
	if err != nil {
		t.Fatal(err)
	}
	if sent.Status != "PENDING" {
		t.Fatalf("the node does not take the transaction: %s %s", sent.Status, sent.ErrorResultXDR)
	}
	if err := l.node.CloseLedgers(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	got, err := l.rpc.GetTransaction(t.Context(), protocol.GetTransactionRequest{Hash: sent.Hash})
	if err != nil {
		t.Fatal(err)
	}
	a := applied{
		at:        moment{got.Ledger, uint64(got.LedgerCloseTime)},
		success:   got.Status == protocol.TransactionStatusSuccess,
		resources: data.Resources,
	}
	var result xdr.TransactionResult
	decode(t, got.ResultXDR, &result)
	a.fee = int64(result.FeeCharged)
	a.operation = (*result.Result.Results)[0].MustTr().MustInvokeHostFunctionResult().Code
	if !a.success {
		return a
	}
	var meta xdr.TransactionMeta
	decode(t, got.ResultMetaXDR, &meta)
	a.value = *meta.MustV4().SorobanMeta.ReturnValue
	for _, e := range got.Events.ContractEventsXDR[0] {
		var event xdr.ContractEvent
		decode(t, e, &event)
		a.events = append(a.events, event)
	}
	return a
}

func decode(t testing.TB, base64 string, into any) {
	t.Helper()
	if err := xdr.SafeUnmarshalBase64(base64, into); err != nil {
		t.Fatal(err)
	}
}
