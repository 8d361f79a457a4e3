package contracts_test

import (
	"testing"

	"verbatim/contracts"
)

func TestHandOver(t *testing.T) {
	l := newLedger(t)
	first, second := l.account(t), l.account(t)
	firstAddress, secondAddress := addressOf(accountAddress(t, first)), addressOf(accountAddress(t, second))
	logID := fill(1)
	l.do(t, first, open(logID, firstAddress))
	at := l.do(t, first, commit(logID, 1, fill(2), 3)).at
	accepting := accept(logID)
	l.refused(t, second, contractError(contracts.NotProposed), accepting, l.bySource(accepting))

	// A proposal alone changes nothing for the writer.
	l.do(t, first, propose(logID, secondAddress))
	stored, _ := l.entry(t, l.logKey(logID))
	same(t, "log with a proposal", log(root(1, at, fill(2), 3), secondAddress, firstAddress), stored.Value)
	early := commit(logID, 2, fill(3), 4)
	l.refused(t, second, notAuthorized, early, l.bySource(early))
	at = l.do(t, first, early).at

	// The log stays what it was, with another writer.
	l.do(t, second, accepting)
	stored, _ = l.entry(t, l.logKey(logID))
	same(t, "log after the hand-over", log(root(2, at, fill(3), 4), void, secondAddress), stored.Value)
	late := commit(logID, 3, fill(4), 5)
	l.refused(t, first, notAuthorized, late, l.bySource(late))
	back := propose(logID, firstAddress)
	l.refused(t, first, notAuthorized, back, l.bySource(back))
	l.do(t, second, late)
	repeated := commit(logID, 1, fill(2), 3)
	l.do(t, second, repeated)
	l.refused(t, second, contractError(contracts.NotProposed), accepting, l.bySource(accepting))

	// And back.
	l.do(t, second, back)
	l.do(t, first, accepting)
	l.do(t, first, commit(logID, 4, fill(5), 6))
}

func TestLaterProposalTakesThePlace(t *testing.T) {
	l := newLedger(t)
	writer, second, third := l.account(t), l.account(t), l.account(t)
	logID := fill(1)
	l.do(t, writer, open(logID, addressOf(accountAddress(t, writer))))
	l.do(t, writer, propose(logID, addressOf(accountAddress(t, second))))
	l.do(t, writer, propose(logID, addressOf(accountAddress(t, third))))
	accepting := accept(logID)
	l.refused(t, second, notAuthorized, accepting, l.bySource(accepting))
	l.do(t, third, accepting)

	// A proposal of oneself takes an earlier one back.
	l.do(t, third, propose(logID, addressOf(accountAddress(t, second))))
	l.do(t, third, propose(logID, addressOf(accountAddress(t, third))))
	l.refused(t, second, notAuthorized, accepting, l.bySource(accepting))
	l.do(t, third, accepting)
	l.do(t, third, commit(logID, 1, fill(2), 3))
}
