package contracts_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stellar/go-stellar-sdk/keypair"
	protocol "github.com/stellar/go-stellar-sdk/protocols/rpc"
	"github.com/stellar/go-stellar-sdk/txnbuild"
	"github.com/stellar/go-stellar-sdk/xdr"

	"verbatim/contracts"
)

// do carries out a call that the source authorizes, as a client does: simulated first. It must succeed.
func (l *ledger) do(t testing.TB, source *keypair.Full, c call) applied {
	t.Helper()
	return l.doAuthorized(t, source, c, l.bySource(c))
}

// doAuthorized carries out a call with an authorization.
func (l *ledger) doAuthorized(t testing.TB, source *keypair.Full, c call, auth ...xdr.SorobanAuthorizationEntry) applied {
	t.Helper()
	op := l.operation(c, auth...)
	s := l.simulate(t, source, op, protocol.AuthModeEnforce)
	if s.err != "" {
		t.Fatalf("%s: %s", c.function, s.err)
	}
	a := l.send(t, source, op, s.data)
	if !a.success {
		t.Fatalf("%s: %s", c.function, a.operation)
	}
	return a
}

// read gives what a call returns that needs no transaction.
func (l *ledger) read(t testing.TB, c call) xdr.ScVal {
	t.Helper()
	s := l.simulate(t, l.account(t), l.operation(c), protocol.AuthModeRecord)
	if s.err != "" {
		t.Fatalf("%s: %s", c.function, s.err)
	}
	return s.value
}

// refused has a call fail on the ledger, whatever a simulation would have said. A simulation that checks authorizations as
// the ledger does tells the error, which the ledger does not.
func (l *ledger) refused(t testing.TB, source *keypair.Full, want string, c call, auth ...xdr.SorobanAuthorizationEntry) {
	t.Helper()
	op := l.operation(c, auth...)
	if got := l.simulate(t, source, op, protocol.AuthModeEnforce).err; got != want {
		t.Errorf("%s: the host says %q, want %q", c.function, got, want)
	}
	a := l.send(t, source, op, l.ample(t, c))
	if a.success || a.operation != xdr.InvokeHostFunctionResultCodeInvokeHostFunctionTrapped {
		t.Errorf("%s: on the ledger %s, want it trapped", c.function, a.operation)
	}
}

// contractError is how the host names an error of the contract.
func contractError(e contracts.Error) string {
	return map[contracts.Error]string{
		contracts.AlreadyOpen: "Error(Contract, #1)", contracts.NotOpen: "Error(Contract, #2)",
		contracts.RootDiffers: "Error(Contract, #3)", contracts.IDNotIncreasing: "Error(Contract, #4)",
		contracts.NotProposed: "Error(Contract, #5)", contracts.BadLogID: "Error(Contract, #6)",
		contracts.BadWriter: "Error(Contract, #7)", contracts.BadCheckpointID: "Error(Contract, #8)",
		contracts.BadRootHash: "Error(Contract, #9)", contracts.BadTimestamp: "Error(Contract, #10)",
	}[e]
}

// notAuthorized is the host's own error when an authorization is missing or does not fit.
const notAuthorized = "Error(Auth, InvalidAction)"

func (l *ledger) operation(c call, auth ...xdr.SorobanAuthorizationEntry) txnbuild.InvokeHostFunction {
	invocation := l.invocation(c)
	return txnbuild.InvokeHostFunction{
		HostFunction: xdr.HostFunction{Type: xdr.HostFunctionTypeHostFunctionTypeInvokeContract, InvokeContract: &invocation},
		Auth:         auth,
	}
}

// ample declares more than enough for a call that no simulation lets pass. What the contract may touch comes from the
// call's arguments, and is nothing but the contract itself when they are wrong: it must not look further.
func (l *ledger) ample(t testing.TB, c call) xdr.SorobanTransactionData {
	t.Helper()
	footprint := xdr.LedgerFootprint{ReadOnly: []xdr.LedgerKey{l.instanceKey(), codeKey()}}
	if id := c.arguments[0]; id.Type == xdr.ScValTypeScvBytes {
		footprint.ReadWrite = append(footprint.ReadWrite, l.logKey(id))
		if len(c.arguments) > 1 && c.arguments[1].Type == xdr.ScValTypeScvU64 {
			footprint.ReadWrite = append(footprint.ReadWrite, l.rootKey(id, uint64(*c.arguments[1].U64)))
		}
	}
	return xdr.SorobanTransactionData{
		Resources: xdr.SorobanResources{
			Footprint: footprint, Instructions: 20_000_000, DiskReadBytes: 50_000, WriteBytes: 50_000,
		},
		ResourceFee: 5e7,
	}
}

// stored is an entry of the contract's on the ledger.
type stored struct {
	Value     xdr.ScVal
	Changed   uint32 // the ledger that wrote it last
	LiveUntil uint32 // the last ledger that has it; 0 when it is archived
}

// entry reads an entry of contract data as anyone can, without the contract. There is none where ok is false.
func (l *ledger) entry(t testing.TB, key xdr.LedgerKey) (s stored, ok bool) {
	t.Helper()
	data, s, ok := l.ledgerEntry(t, key)
	if ok {
		s.Value = data.MustContractData().Val
	}
	return s, ok
}

func (l *ledger) ledgerEntry(t testing.TB, key xdr.LedgerKey) (data xdr.LedgerEntryData, s stored, ok bool) {
	t.Helper()
	encoded, err := key.MarshalBinaryBase64()
	if err != nil {
		t.Fatal(err)
	}
	answer, err := l.rpc.GetLedgerEntries(t.Context(), protocol.GetLedgerEntriesRequest{Keys: []string{encoded}})
	if err != nil {
		t.Fatal(err)
	}
	if len(answer.Entries) == 0 {
		return data, s, false
	}
	e := answer.Entries[0]
	decode(t, e.DataXDR, &data)
	return data, stored{Changed: e.LastModifiedLedger, LiveUntil: *e.LiveUntilLedgerSeq}, true
}

// same fails unless two values are equal.
func same(t testing.TB, what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s differs (-want +got):\n%s", what, diff)
	}
}
