package stellar_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/stellar/go-stellar-sdk/keypair"
	"github.com/stellar/go-stellar-sdk/network"
	"github.com/stellar/go-stellar-sdk/txnbuild"
	"github.com/stellar/go-stellar-sdk/xdr"

	"verbatim/sidecar/stellar"
	"verbatim/tests/soroban"
)

// receipt is the recorded one.
type receipt struct {
	passphrase, contract string
	hash                 [32]byte
	envelope, result     []byte
}

func recordedReceipt(t testing.TB) receipt {
	t.Helper()
	s := readSession(t)
	result, err := base64.StdEncoding.DecodeString(s.Answers["getTransaction"]["resultXdr"].(string))
	if err != nil {
		t.Fatal(err)
	}
	return receipt{soroban.Passphrase, s.Contract, recordedHash(t, s), s.Envelope, result}
}

func (r receipt) check() (stellar.CommitCall, error) {
	return stellar.CheckReceipt(r.passphrase, r.contract, r.hash, r.envelope, r.result)
}

// transaction changes what was signed, and signs that: as a liar would who has the
// key. Everything is of the changed transaction then.
func transaction(change func(*xdr.Transaction)) func(*testing.T, *receipt) {
	return func(t *testing.T, r *receipt) {
		t.Helper()
		var e xdr.TransactionEnvelope
		if err := xdr.SafeUnmarshal(r.envelope, &e); err != nil {
			t.Fatal(err)
		}
		change(&e.V1.Tx)
		hash, err := network.HashTransaction(e.V1.Tx, r.passphrase)
		if err != nil {
			t.Fatal(err)
		}
		signature, err := recordedKey().SignDecorated(hash[:])
		if err != nil {
			t.Fatal(err)
		}
		e.V1.Signatures = []xdr.DecoratedSignature{signature}
		r.hash = hash
		if r.envelope, err = e.MarshalBinary(); err != nil {
			t.Fatal(err)
		}
	}
}

// call changes the call that was signed.
func call(change func(*xdr.InvokeContractArgs)) func(*testing.T, *receipt) {
	return transaction(func(tx *xdr.Transaction) {
		change(tx.Operations[0].Body.InvokeHostFunctionOp.HostFunction.InvokeContract)
	})
}

func result(change func(*xdr.TransactionResult)) func(*testing.T, *receipt) {
	return func(t *testing.T, r *receipt) {
		t.Helper()
		var v xdr.TransactionResult
		if err := xdr.SafeUnmarshal(r.result, &v); err != nil {
			t.Fatal(err)
		}
		change(&v)
		raw, err := v.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		r.result = raw
	}
}

func plain(change func(*receipt)) func(*testing.T, *receipt) {
	return func(_ *testing.T, r *receipt) { change(r) }
}

// bump pays more for the transaction, by another account.
func bump(t *testing.T, r *receipt) (outer [32]byte) {
	t.Helper()
	generic, err := txnbuild.TransactionFromXDR(base64.StdEncoding.EncodeToString(r.envelope))
	if err != nil {
		t.Fatal(err)
	}
	inner, _ := generic.Transaction()
	payer := keypair.MustRandom()
	bumped, err := txnbuild.NewFeeBumpTransaction(txnbuild.FeeBumpTransactionParams{Inner: inner, FeeAccount: payer.Address(), BaseFee: inner.MaxFee()})
	if err != nil {
		t.Fatal(err)
	}
	if bumped, err = bumped.Sign(r.passphrase, payer); err != nil {
		t.Fatal(err)
	}
	if r.envelope, err = bumped.MarshalBinary(); err != nil {
		t.Fatal(err)
	}
	if outer, err = bumped.Hash(r.passphrase); err != nil {
		t.Fatal(err)
	}
	result(func(v *xdr.TransactionResult) {
		done := xdr.InnerTransactionResultResult{Code: v.Result.Code, Results: v.Result.Results}
		v.FeeCharged, v.Result = 4242, xdr.TransactionResultResult{
			Code:            xdr.TransactionResultCodeTxFeeBumpInnerSuccess,
			InnerResultPair: &xdr.InnerTransactionResultPair{TransactionHash: r.hash, Result: xdr.InnerTransactionResult{Result: done}},
		}
	})(t, r)
	return outer
}

func TestCheckReceipt(t *testing.T) {
	r := recordedReceipt(t)
	want := recorded
	result(func(v *xdr.TransactionResult) { want.FeeCharged = int64(v.FeeCharged) })(t, &r)
	if got, err := r.check(); err != nil || got != want {
		t.Errorf("it is %+v, not %+v: %v", got, want, err)
	}
	outer := bump(t, &r)
	want.FeeCharged = 4242
	for _, r.hash = range [][32]byte{r.hash, outer} {
		if got, err := r.check(); err != nil || got != want {
			t.Errorf("in a fee bump it is %+v, not %+v: %v", got, want, err)
		}
	}
}

func TestReceiptsThatDoNotFit(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*testing.T, *receipt)
		want   string
	}{
		"another network":    {plain(func(r *receipt) { r.passphrase = "Another" }), "not of"},
		"no network":         {plain(func(r *receipt) { r.passphrase = "" }), "passphrase"},
		"another contract":   {plain(func(r *receipt) { r.contract = "CAAQ" }), "not CAAQ"},
		"another hash":       {plain(func(r *receipt) { r.hash[0] ^= 1 }), "not of"},
		"no envelope":        {plain(func(r *receipt) { r.envelope = nil }), "envelope"},
		"cut envelope":       {plain(func(r *receipt) { r.envelope = r.envelope[:len(r.envelope)-1] }), "envelope"},
		"longer envelope":    {plain(func(r *receipt) { r.envelope = append(r.envelope, 0) }), "envelope"},
		"changed signature":  {plain(func(r *receipt) { r.envelope[len(r.envelope)-1] ^= 1 }), "did not sign"},
		"no result":          {plain(func(r *receipt) { r.result = nil }), "result"},
		"longer result":      {plain(func(r *receipt) { r.result = append(r.result, 0, 0, 0, 0) }), "result"},
		"result of failure":  {result(func(r *xdr.TransactionResult) { r.Result.Code = xdr.TransactionResultCodeTxFailed }), "not a success"},
		"operation's":        {result(trapped), "INVOKE_HOST_FUNCTION_TRAPPED"},
		"result too late":    {result(func(r *xdr.TransactionResult) { r.Result.Code = xdr.TransactionResultCodeTxTooLate }), "txTOO_LATE"},
		"negative fee":       {result(func(r *xdr.TransactionResult) { r.FeeCharged = -1 }), "fee -1"},
		"no call":            {transaction(func(tx *xdr.Transaction) { tx.Operations = nil }), "0 operations"},
		"two calls":          {transaction(func(tx *xdr.Transaction) { tx.Operations = append(tx.Operations, tx.Operations[0]) }), "2 operations"},
		"payment":            {transaction(payment0), "calls no contract"},
		"upload":             {transaction(upload), "calls no contract"},
		"another account":    {transaction(func(tx *xdr.Transaction) { tx.SourceAccount.Ed25519[0] ^= 1 }), "did not sign"},
		"another function":   {call(func(c *xdr.InvokeContractArgs) { c.FunctionName = "open" }), `"open", not commit`},
		"called on contract": {call(func(c *xdr.InvokeContractArgs) { c.ContractAddress.ContractId[0] ^= 1 }), "calls contract"},
		"called on account":  {call(calledAccount), "calls contract G"},
		"fewer arguments":    {call(func(c *xdr.InvokeContractArgs) { c.Args = c.Args[:3] }), "3 arguments"},
		"log as text":        {call(func(c *xdr.InvokeContractArgs) { c.Args[0] = c.Args[1] }), "log_id"},
		"id as bytes":        {call(func(c *xdr.InvokeContractArgs) { c.Args[1] = c.Args[0] }), "checkpoint_id"},
		"root as number":     {call(func(c *xdr.InvokeContractArgs) { c.Args[2] = c.Args[1] }), "root_hash"},
		"timestamp as bytes": {call(func(c *xdr.InvokeContractArgs) { c.Args[3] = c.Args[0] }), "timestamp"},
	} {
		t.Run(name, func(t *testing.T) {
			r := recordedReceipt(t)
			c.change(t, &r)
			if got, err := r.check(); err == nil || !strings.Contains(err.Error(), c.want) || got != (stellar.CommitCall{}) {
				t.Errorf("it is %+v: %v", got, err)
			}
		})
	}
}

func trapped(r *xdr.TransactionResult) {
	r.Result.Code = xdr.TransactionResultCodeTxFailed
	(*r.Result.Results)[0].Tr.InvokeHostFunctionResult.Code = xdr.InvokeHostFunctionResultCodeInvokeHostFunctionTrapped
}

func payment0(tx *xdr.Transaction) {
	tx.Operations[0].Body = xdr.OperationBody{Type: xdr.OperationTypePayment, PaymentOp: &xdr.PaymentOp{Destination: tx.SourceAccount, Asset: xdr.MustNewNativeAsset(), Amount: 1}}
}

func upload(tx *xdr.Transaction) {
	tx.Operations[0].Body.InvokeHostFunctionOp.HostFunction = xdr.HostFunction{Type: xdr.HostFunctionTypeHostFunctionTypeUploadContractWasm, Wasm: &[]byte{1}}
}

func calledAccount(c *xdr.InvokeContractArgs) {
	id := xdr.MustAddress(recorded.Source)
	c.ContractAddress = xdr.ScAddress{Type: xdr.ScAddressTypeScAddressTypeAccount, AccountId: &id}
}
