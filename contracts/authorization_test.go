package contracts_test

import (
	"testing"

	"github.com/stellar/go-stellar-sdk/keypair"
	"github.com/stellar/go-stellar-sdk/xdr"
)

// Whoever is not whom a call needs is refused, and nothing is stored.
func TestStrangersAreRefused(t *testing.T) {
	l := newLedger(t)
	writer, proposed, stranger := l.account(t), l.account(t), l.account(t)
	writerAddress := addressOf(accountAddress(t, writer))
	logID := fill(1)
	l.do(t, writer, open(logID, writerAddress))
	l.do(t, writer, commit(logID, 1, fill(2), 3))
	l.do(t, writer, propose(logID, addressOf(accountAddress(t, proposed))))
	before, _ := l.entry(t, l.logKey(logID))

	theft := addressOf(accountAddress(t, stranger))
	for _, c := range []struct {
		name string
		call call
		who  *keypair.Full // whom the call needs
		keys []xdr.LedgerKey
	}{
		{"open for another", open(fill(9), writerAddress), writer, []xdr.LedgerKey{l.logKey(fill(9))}},
		{"commit", commit(logID, 2, fill(3), 4), writer, []xdr.LedgerKey{l.rootKey(logID, 2)}},
		{"commit again what is stored", commit(logID, 1, fill(2), 3), writer, nil},
		{"propose", propose(logID, theft), writer, nil},
		{"accept", accept(logID), proposed, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			// Nobody authorizes it; the sender does; the sender signs in the name of the other; the other authorized
			// another call.
			l.refused(t, stranger, notAuthorized, c.call)
			l.refused(t, stranger, notAuthorized, c.call, l.bySource(c.call))
			l.refused(t, stranger, notAuthorized, c.call, l.byAddress(t, c.call, c.who, stranger))
			l.refused(t, stranger, notAuthorized, c.call, l.byAddress(t, commit(logID, 2, fill(4), 4), c.who, c.who))
			for _, key := range c.keys {
				if _, ok := l.entry(t, key); ok {
					t.Error("something was stored")
				}
			}
			after, _ := l.entry(t, l.logKey(logID))
			same(t, "log", before, after)
		})
	}
	accepting := accept(logID)
	l.refused(t, writer, notAuthorized, accepting, l.bySource(accepting))

	// The same calls with the authorization that they need, sent and paid for by the stranger.
	for _, c := range []struct {
		call call
		who  *keypair.Full
	}{
		{open(fill(9), writerAddress), writer},
		{commit(logID, 2, fill(3), 4), writer},
		{propose(logID, addressOf(accountAddress(t, proposed))), writer},
		{accept(logID), proposed},
	} {
		l.doAuthorized(t, stranger, c.call, l.byAddress(t, c.call, c.who, c.who))
	}
}

// An authorization serves once.
func TestAuthorizationIsNotUsedTwice(t *testing.T) {
	l := newLedger(t)
	writer, payer := l.account(t), l.account(t)
	c := open(fill(1), addressOf(accountAddress(t, writer)))
	l.doAuthorized(t, payer, c, l.byAddress(t, c, writer, writer))

	c = commit(fill(1), 1, fill(2), 3)
	signed := l.byAddress(t, c, writer, writer)
	l.doAuthorized(t, payer, c, signed)
	l.refused(t, payer, "Error(Auth, ExistingValue)", c, signed)
}
