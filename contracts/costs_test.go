package contracts_test

import (
	"testing"

	"github.com/stellar/go-stellar-sdk/xdr"

	"verbatim/contracts"
)

// What calls cost, on a network that asks the test node's prices. README.md has the numbers; here are bounds that a change
// of the contract must not pass unnoticed.
func TestCosts(t *testing.T) {
	l := newLedger(t)
	writer := l.account(t)
	address := addressOf(accountAddress(t, writer))
	logID := fill(1)
	const xlm = 10_000_000

	first := l.do(t, writer, open(logID, address))
	measure := func(name string, a applied, instructions xdr.Uint32, fee int64) {
		t.Helper()
		r := a.resources
		t.Logf("%s: %d instructions, %d bytes written, %d + %d entries, %d stroops", name, r.Instructions, r.WriteBytes,
			len(r.Footprint.ReadOnly), len(r.Footprint.ReadWrite), a.fee)
		if r.Instructions > instructions || a.fee > fee {
			t.Errorf("%s declares %d instructions and costs %d stroops, want at most %d and %d", name, r.Instructions, a.fee,
				instructions, fee)
		}
	}
	measure("open, the contract's first call", first, 1_000_000, xlm)
	measure("open", l.do(t, writer, open(fill(2), address)), 1_000_000, xlm/10)
	measure("first commit", l.do(t, writer, commit(logID, 1, fill(2), 1_790_000_000_000)), 1_000_000, xlm/5)
	usual := l.do(t, writer, commit(logID, 2, fill(3), 1_790_000_000_000))
	measure("commit", usual, 1_000_000, xlm/10)
	measure("commit again", l.do(t, writer, commit(logID, 2, fill(3), 1_790_000_000_000)), 1_000_000, xlm/10)
	measure("propose", l.do(t, writer, propose(logID, address)), 1_000_000, xlm/10)
	measure("accept", l.do(t, writer, accept(logID)), 1_000_000, xlm/10)

	// Every 15 days one commit extends the contract itself, for all logs.
	l.advanceTo(t, first.at.ledger+contracts.ExtendTo-contracts.ExtendBelow+1)
	measure("commit that extends log and contract", l.do(t, writer, commit(logID, 3, fill(4), 1_790_000_000_000)), 1_000_000, xlm)
}
