package contracts_test

import (
	"testing"

	protocol "github.com/stellar/go-stellar-sdk/protocols/rpc"
	"github.com/stellar/go-stellar-sdk/xdr"

	"verbatim/contracts"
)

// Whatever a call that writes touches gets 135 days when it has less than 120 left, and keeps what it has otherwise.
func TestLifetimes(t *testing.T) {
	l := newLedger(t)
	writer := l.account(t)
	address := addressOf(accountAddress(t, writer))
	logID := fill(1)

	opened := l.do(t, writer, open(logID, address)).at.ledger
	l.liveUntil(t, "open", opened+contracts.ExtendTo, l.instanceKey(), codeKey(), l.logKey(logID))

	// With exactly 120 days left, only what is new gets its lifetime.
	l.advanceTo(t, opened+contracts.ExtendTo-contracts.ExtendBelow)
	at := l.do(t, writer, commit(logID, 1, fill(2), 3)).at.ledger
	l.liveUntil(t, "commit", at+contracts.ExtendTo, l.rootKey(logID, 1))
	l.liveUntil(t, "commit", opened+contracts.ExtendTo, l.instanceKey(), codeKey(), l.logKey(logID))

	// One ledger later it is less. What the call does not touch stays.
	first := at
	at = l.do(t, writer, commit(logID, 2, fill(3), 4)).at.ledger
	l.liveUntil(t, "commit", at+contracts.ExtendTo, l.instanceKey(), codeKey(), l.logKey(logID), l.rootKey(logID, 2))
	l.liveUntil(t, "commit of another", first+contracts.ExtendTo, l.rootKey(logID, 1))

	// A repeated commit touches nothing.
	before := at
	l.advanceTo(t, before+contracts.ExtendTo-contracts.ExtendBelow+1)
	l.do(t, writer, commit(logID, 2, fill(3), 4))
	l.liveUntil(t, "repeated commit", before+contracts.ExtendTo, l.instanceKey(), codeKey(), l.logKey(logID), l.rootKey(logID, 2))

	at = l.do(t, writer, propose(logID, address)).at.ledger
	l.liveUntil(t, "propose", at+contracts.ExtendTo, l.instanceKey(), codeKey(), l.logKey(logID))
	l.liveUntil(t, "propose", before+contracts.ExtendTo, l.rootKey(logID, 2))

	l.advanceTo(t, at+contracts.ExtendTo-contracts.ExtendBelow+1)
	at = l.do(t, writer, accept(logID)).at.ledger
	l.liveUntil(t, "accept", at+contracts.ExtendTo, l.instanceKey(), codeKey(), l.logKey(logID))
}

// liveUntil fails unless the last ledger that has the entries is this one.
func (l *ledger) liveUntil(t *testing.T, after string, want uint32, keys ...xdr.LedgerKey) {
	t.Helper()
	for _, key := range keys {
		_, s, ok := l.ledgerEntry(t, key)
		if !ok {
			t.Fatalf("after %s: there is no entry of %v", after, key.Type)
		}
		if s.LiveUntil != want {
			t.Errorf("after %s: an entry of %v lives until %d, want %d", after, key.Type, s.LiveUntil, want)
		}
	}
}

// An entry in the archive is not lost and not forgotten: a call that needs it restores it, and it is as it was.
func TestExpiredEntries(t *testing.T) {
	l := newLedger(t)
	writer := l.account(t)
	address := addressOf(accountAddress(t, writer))
	logID := fill(1)
	l.do(t, writer, open(logID, address))
	first := l.do(t, writer, commit(logID, 1, fill(2), 3)).at
	second := l.do(t, writer, commit(logID, 2, fill(3), 4)).at

	// Readers are told it: a simulation restores for itself what it reads.
	l.expire(t, l.rootKey(logID, 1))
	same(t, "get of an expired root", root(1, first, fill(2), 3), l.read(t, get(logID, 1)))
	same(t, "latest beside an expired root", root(2, second, fill(3), 4), l.read(t, latest(logID)))
	l.expire(t, l.logKey(logID))
	same(t, "latest of an expired log", root(2, second, fill(3), 4), l.read(t, latest(logID)))

	// The ledger itself does not run a call on archived entries that are not to be restored.
	next := commit(logID, 3, fill(4), 5)
	op := l.operation(next, l.bySource(next))
	a := l.send(t, writer, op, l.ample(t, next))
	same(t, "commit on an archived log", xdr.InvokeHostFunctionResultCodeInvokeHostFunctionEntryArchived, a.operation)

	// The simulation says what to restore, and the commit does. It does not need the expired root.
	third := l.do(t, writer, next).at
	same(t, "latest", root(3, third, fill(4), 5), l.read(t, latest(logID)))
	_, archived, _ := l.ledgerEntry(t, l.rootKey(logID, 1))
	same(t, "lifetime of the expired root", uint32(0), archived.LiveUntil)

	// An id that is in the archive is not free. With its own root it is accepted, and restored on the way.
	forged := commit(logID, 1, fill(9), 3)
	same(t, "another root for an archived id", contractError(contracts.RootDiffers),
		l.simulate(t, writer, l.operation(forged, l.bySource(forged)), protocol.AuthModeEnforce).err)
	a = l.send(t, writer, l.operation(forged, l.bySource(forged)), l.ample(t, forged))
	same(t, "another root for an archived id", xdr.InvokeHostFunctionResultCodeInvokeHostFunctionEntryArchived, a.operation)
	l.do(t, writer, commit(logID, 1, fill(2), 3))
	stored, _ := l.entry(t, l.rootKey(logID, 1))
	same(t, "restored root", root(1, first, fill(2), 3), stored.Value)
	if stored.LiveUntil == 0 {
		t.Error("the root is still in the archive")
	}

	// The contract itself can expire too.
	l.expire(t, l.instanceKey())
	l.expire(t, codeKey())
	at := l.do(t, writer, commit(logID, 4, fill(5), 6)).at.ledger
	l.liveUntil(t, "a commit that restored the contract", at+contracts.ExtendTo, l.instanceKey(), codeKey())
}

// expire puts an entry into the archive.
func (l *ledger) expire(t *testing.T, key xdr.LedgerKey) {
	t.Helper()
	encoded, err := key.MarshalBinaryBase64()
	if err != nil {
		t.Fatal(err)
	}
	if err := l.node.Expire(t.Context(), encoded); err != nil {
		t.Fatal(err)
	}
}
