package soroban_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stellar/go-stellar-sdk/clients/rpcclient"
	"github.com/stellar/go-stellar-sdk/keypair"
	"github.com/stellar/go-stellar-sdk/network"
	protocol "github.com/stellar/go-stellar-sdk/protocols/rpc"
	"github.com/stellar/go-stellar-sdk/xdr"
	"go.uber.org/goleak"

	"verbatim/contracts"
	"verbatim/tests/soroban"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const lumen = 10_000_000

// user is an account of a node, and the SDK's client.
type user struct {
	t    *testing.T
	node *soroban.Node
	rpc  *rpcclient.Client
	key  *keypair.Full
}

func newUser(t *testing.T) *user {
	t.Helper()
	u := &user{t: t, node: soroban.Start(t, soroban.Options{}), key: keypair.MustRandom()}
	u.rpc = rpcclient.NewClient(u.node.URL(), &http.Client{Transport: &http.Transport{DisableKeepAlives: true}})
	t.Cleanup(func() { _ = u.rpc.Close() }) // says only that it was closed
	u.fund(u.key, 1_000*lumen)
	return u
}

func (u *user) fund(key *keypair.Full, stroops int64) {
	u.t.Helper()
	if err := u.node.Fund(u.t.Context(), key.Address(), stroops); err != nil {
		u.t.Fatal(err)
	}
}

func (u *user) account() xdr.AccountEntry {
	u.t.Helper()
	id := xdr.MustAddress(u.key.Address())
	text, err := xdr.MarshalBase64(xdr.LedgerKey{Type: xdr.LedgerEntryTypeAccount, Account: &xdr.LedgerKeyAccount{AccountId: id}})
	if err != nil {
		u.t.Fatal(err)
	}
	answer, err := u.rpc.GetLedgerEntries(u.t.Context(), protocol.GetLedgerEntriesRequest{Keys: []string{text}})
	if err != nil || len(answer.Entries) != 1 {
		u.t.Fatalf("%+v, %v", answer, err)
	}
	var data xdr.LedgerEntryData
	if err := xdr.SafeUnmarshalBase64(answer.Entries[0].DataXDR, &data); err != nil {
		u.t.Fatal(err)
	}
	return data.MustAccount()
}

// transaction is unsigned, with the account's next sequence number.
func (u *user) transaction(op xdr.OperationBody) xdr.Transaction {
	u.t.Helper()
	source := xdr.MustMuxedAddress(u.key.Address())
	return xdr.Transaction{
		SourceAccount: source, Fee: 100, SeqNum: u.account().SeqNum + 1, Cond: xdr.Preconditions{Type: xdr.PreconditionTypePrecondNone},
		Operations: []xdr.Operation{{Body: op}},
	}
}

func upload() xdr.OperationBody {
	wasm := contracts.Wasm
	return xdr.OperationBody{Type: xdr.OperationTypeInvokeHostFunction, InvokeHostFunctionOp: &xdr.InvokeHostFunctionOp{
		HostFunction: xdr.HostFunction{Type: xdr.HostFunctionTypeHostFunctionTypeUploadContractWasm, Wasm: &wasm},
	}}
}

// simulated has what the simulation says that it has to declare.
func (u *user) simulated(op xdr.OperationBody) xdr.Transaction {
	u.t.Helper()
	tx := u.transaction(op)
	answer, err := u.rpc.SimulateTransaction(u.t.Context(), protocol.SimulateTransactionRequest{Transaction: u.sign(tx)})
	if err != nil || answer.Error != "" {
		u.t.Fatalf("simulate: %v, %s", err, answer.Error)
	}
	var data xdr.SorobanTransactionData
	if err := xdr.SafeUnmarshalBase64(answer.TransactionDataXDR, &data); err != nil {
		u.t.Fatal(err)
	}
	tx.Ext = xdr.TransactionExt{V: 1, SorobanData: &data}
	tx.Fee += xdr.Uint32(data.ResourceFee)
	return tx
}

// sign encodes a transaction with signatures of these keys, or of the user's.
func (u *user) sign(tx xdr.Transaction, keys ...*keypair.Full) string {
	u.t.Helper()
	if keys == nil {
		keys = []*keypair.Full{u.key}
	}
	hash, err := network.HashTransaction(tx, soroban.Passphrase)
	if err != nil {
		u.t.Fatal(err)
	}
	envelope := &xdr.TransactionV1Envelope{Tx: tx}
	for _, k := range keys {
		s, err := k.SignDecorated(hash[:])
		if err != nil {
			u.t.Fatal(err)
		}
		envelope.Signatures = append(envelope.Signatures, s)
	}
	text, err := xdr.MarshalBase64(xdr.TransactionEnvelope{Type: xdr.EnvelopeTypeEnvelopeTypeTx, V1: envelope})
	if err != nil {
		u.t.Fatal(err)
	}
	return text
}

// send returns the status and, of an error, its code.
func (u *user) send(envelope string) (status, code, hash string) {
	u.t.Helper()
	answer, err := u.rpc.SendTransaction(u.t.Context(), protocol.SendTransactionRequest{Transaction: envelope})
	if err != nil {
		u.t.Fatal(err)
	}
	if answer.ErrorResultXDR != "" {
		var result xdr.TransactionResult
		if err := xdr.SafeUnmarshalBase64(answer.ErrorResultXDR, &result); err != nil {
			u.t.Fatal(err)
		}
		code = result.Result.Code.String()
	}
	return answer.Status, code, answer.Hash
}

// applied sends a transaction, closes a ledger and returns what became of it.
func (u *user) applied(envelope string) (protocol.GetTransactionResponse, xdr.TransactionResult) {
	u.t.Helper()
	status, code, hash := u.send(envelope)
	if status != "PENDING" {
		u.t.Fatalf("%s %s", status, code)
	}
	if err := u.node.CloseLedgers(u.t.Context(), 1); err != nil {
		u.t.Fatal(err)
	}
	answer, err := u.rpc.GetTransaction(u.t.Context(), protocol.GetTransactionRequest{Hash: hash})
	if err != nil {
		u.t.Fatal(err)
	}
	var result xdr.TransactionResult
	if err := xdr.SafeUnmarshalBase64(answer.ResultXDR, &result); err != nil {
		u.t.Fatal(err)
	}
	return answer, result
}

// What no ledger would take is refused when it is sent.
func TestRefusedTransactions(t *testing.T) {
	u := newUser(t)
	stranger := keypair.MustRandom()
	bounds := func(minTime, maxTime int64) xdr.Preconditions {
		return xdr.Preconditions{Type: xdr.PreconditionTypePrecondTime, TimeBounds: &xdr.TimeBounds{
			MinTime: xdr.TimePoint(minTime), MaxTime: xdr.TimePoint(maxTime),
		}}
	}
	now := time.Now().Unix()
	for _, c := range []struct {
		name   string
		change func(*xdr.Transaction)
		keys   []*keypair.Full
		want   xdr.TransactionResultCode
	}{
		{"sequence number used", func(tx *xdr.Transaction) { tx.SeqNum-- }, nil, xdr.TransactionResultCodeTxBadSeq},
		{"sequence number to come", func(tx *xdr.Transaction) { tx.SeqNum++ }, nil, xdr.TransactionResultCodeTxBadSeq},
		{"fee below the least", func(tx *xdr.Transaction) { tx.Fee-- }, nil, xdr.TransactionResultCodeTxInsufficientFee},
		{"too early", func(tx *xdr.Transaction) { tx.Cond = bounds(now+1_000, 0) }, nil, xdr.TransactionResultCodeTxTooEarly},
		{"too late", func(tx *xdr.Transaction) { tx.Cond = bounds(0, now-1_000) }, nil, xdr.TransactionResultCodeTxTooLate},
		{"another's signature", func(*xdr.Transaction) {}, []*keypair.Full{stranger}, xdr.TransactionResultCodeTxBadAuth},
		{"one signature too many", func(*xdr.Transaction) {}, []*keypair.Full{u.key, stranger}, xdr.TransactionResultCodeTxBadAuthExtra},
		{"an account that is not there", func(tx *xdr.Transaction) { tx.SourceAccount = xdr.MustMuxedAddress(stranger.Address()) },
			[]*keypair.Full{stranger}, xdr.TransactionResultCodeTxNoAccount},
		{"no resources declared", func(tx *xdr.Transaction) { tx.Ext = xdr.TransactionExt{} }, nil, xdr.TransactionResultCodeTxMalformed},
		{"too small a resource fee", func(tx *xdr.Transaction) { tx.Ext.SorobanData.ResourceFee = 1_000 }, nil, xdr.TransactionResultCodeTxSorobanInvalid},
		{"more instructions than allowed", func(tx *xdr.Transaction) { tx.Ext.SorobanData.Resources.Instructions = 1 << 31 }, nil, xdr.TransactionResultCodeTxSorobanInvalid},
		{"a memo", func(tx *xdr.Transaction) { text := "x"; tx.Memo = xdr.Memo{Type: xdr.MemoTypeMemoText, Text: &text} }, nil, xdr.TransactionResultCodeTxSorobanInvalid},
		{"two operations", func(tx *xdr.Transaction) { tx.Operations = append(tx.Operations, tx.Operations[0]); tx.Fee += 100 }, nil, xdr.TransactionResultCodeTxSorobanInvalid},
		{"no operation", func(tx *xdr.Transaction) { tx.Operations = nil }, nil, xdr.TransactionResultCodeTxMissingOperation},
	} {
		tx := u.simulated(upload())
		c.change(&tx)
		if status, code, _ := u.send(u.sign(tx, c.keys...)); status != "ERROR" || code != c.want.String() {
			t.Errorf("%s: %s %s, want %s", c.name, status, code, c.want)
		}
	}
}

// An account that can't pay is refused, too.
func TestAnAccountThatCannotPay(t *testing.T) {
	u := newUser(t)
	u.key = keypair.MustRandom()
	u.fund(u.key, lumen)
	if status, code, _ := u.send(u.sign(u.simulated(upload()))); status != "ERROR" || code != xdr.TransactionResultCodeTxInsufficientBalance.String() {
		t.Error(status, code)
	}
}

// What fails in a ledger has used its sequence number and pays, and changes nothing.
func TestFailedTransactions(t *testing.T) {
	u := newUser(t)
	for _, c := range []struct {
		name   string
		change func(*xdr.SorobanTransactionData)
		want   xdr.InvokeHostFunctionResultCode
	}{
		{"an entry outside the footprint", func(d *xdr.SorobanTransactionData) { d.Resources.Footprint.ReadWrite = nil }, xdr.InvokeHostFunctionResultCodeInvokeHostFunctionTrapped},
		{"too few instructions", func(d *xdr.SorobanTransactionData) { d.Resources.Instructions = 1_000 }, xdr.InvokeHostFunctionResultCodeInvokeHostFunctionResourceLimitExceeded},
		{"too few bytes written", func(d *xdr.SorobanTransactionData) { d.Resources.WriteBytes = 10 }, xdr.InvokeHostFunctionResultCodeInvokeHostFunctionResourceLimitExceeded},
		{"too little for rent", func(d *xdr.SorobanTransactionData) { d.ResourceFee -= 40_000_000 }, xdr.InvokeHostFunctionResultCodeInvokeHostFunctionInsufficientRefundableFee},
	} {
		before := u.account()
		tx := u.simulated(upload())
		c.change(tx.Ext.SorobanData)
		answer, result := u.applied(u.sign(tx))
		code := result.Result.MustResults()[0].MustTr().MustInvokeHostFunctionResult().Code
		if answer.Status != "FAILED" || code != c.want {
			t.Errorf("%s: %s %s, want %s", c.name, answer.Status, code, c.want)
		}
		after := u.account()
		if after.SeqNum != before.SeqNum+1 || after.Balance != before.Balance-result.FeeCharged || result.FeeCharged <= 100 {
			t.Errorf("%s: sequence number %d to %d, balance %d to %d, fee %d", c.name, before.SeqNum, after.SeqNum, before.Balance, after.Balance, result.FeeCharged)
		}
	}
	if answer, result := u.applied(u.sign(u.simulated(upload()))); answer.Status != "SUCCESS" || result.FeeCharged < lumen {
		t.Errorf("at last: %s, fee %d", answer.Status, result.FeeCharged)
	}
}

func TestOneTransactionOfAnAccountWaits(t *testing.T) {
	u := newUser(t)
	first := u.simulated(upload())
	second := first
	second.SeqNum++
	if status, _, _ := u.send(u.sign(first)); status != "PENDING" {
		t.Error(status)
	}
	if status, _, _ := u.send(u.sign(first)); status != "DUPLICATE" {
		t.Error(status)
	}
	// The account's number is still the one before the first.
	if status, code, _ := u.send(u.sign(second)); status != "ERROR" || code != xdr.TransactionResultCodeTxBadSeq.String() {
		t.Error(status, code)
	}
	other := first
	other.Cond = xdr.Preconditions{Type: xdr.PreconditionTypePrecondTime, TimeBounds: &xdr.TimeBounds{MaxTime: 1 << 40}}
	if status, _, _ := u.send(u.sign(other)); status != "TRY_AGAIN_LATER" {
		t.Error(status)
	}
}

// Accounts are made and paid as on the network.
func TestAccountsAndPayments(t *testing.T) {
	u := newUser(t)
	to := keypair.MustRandom()
	id := xdr.MustAddress(to.Address())
	create := xdr.OperationBody{Type: xdr.OperationTypeCreateAccount, CreateAccountOp: &xdr.CreateAccountOp{Destination: id, StartingBalance: 5 * lumen}}
	pay := xdr.OperationBody{Type: xdr.OperationTypePayment, PaymentOp: &xdr.PaymentOp{
		Destination: xdr.MustMuxedAddress(to.Address()), Asset: xdr.MustNewNativeAsset(), Amount: 2 * lumen,
	}}
	for _, c := range []struct {
		op   xdr.OperationBody
		want string
	}{{pay, "FAILED"}, {create, "SUCCESS"}, {create, "FAILED"}, {pay, "SUCCESS"}} {
		if answer, _ := u.applied(u.sign(u.transaction(c.op))); answer.Status != c.want {
			t.Errorf("%s: %s, want %s", c.op.Type, answer.Status, c.want)
		}
	}
	if got := (&user{t: t, rpc: u.rpc, key: to}).account().Balance; got != 7*lumen {
		t.Errorf("balance %d", got)
	}
}

// RPC forgets, and a ledger's time goes on.
func TestMemoryAndTime(t *testing.T) {
	u := newUser(t)
	answer, _ := u.applied(u.sign(u.simulated(upload())))
	before, err := u.rpc.GetLatestLedger(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := u.node.Forget(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := u.node.Advance(t.Context(), time.Hour, 700); err != nil {
		t.Fatal(err)
	}
	gone, err := u.rpc.GetTransaction(t.Context(), protocol.GetTransactionRequest{Hash: answer.TransactionHash})
	if err != nil || gone.Status != "NOT_FOUND" {
		t.Errorf("%+v, %v", gone, err)
	}
	after, err := u.rpc.GetLatestLedger(t.Context())
	if err != nil || after.Sequence != before.Sequence+701 || after.LedgerCloseTime < before.LedgerCloseTime+3590 {
		t.Errorf("from %d at %d to %d at %d, %v", before.Sequence, before.LedgerCloseTime, after.Sequence, after.LedgerCloseTime, err)
	}
}
