package contracts_test

import (
	"testing"

	"github.com/stellar/go-stellar-sdk/strkey"

	protocol "github.com/stellar/go-stellar-sdk/protocols/rpc"
	"github.com/stellar/go-stellar-sdk/xdr"

	"verbatim/contracts"
)

// published is an event as anyone can ask for it.
type published struct {
	Type   string
	Topics []xdr.ScVal
	Data   xdr.ScVal
}

// Every change of a log is published, with the log's id as the second topic, and nothing else is.
func TestEvents(t *testing.T) {
	l := newLedger(t)
	start := l.now(t).ledger
	first, second := l.account(t), l.account(t)
	firstAddress, secondAddress := addressOf(accountAddress(t, first)), addressOf(accountAddress(t, second))
	logID, other := fill(1), fill(2)

	l.do(t, first, open(logID, firstAddress))
	l.do(t, second, open(other, secondAddress))
	at := l.do(t, first, commit(logID, 7, fill(3), 8)).at
	l.do(t, first, commit(logID, 7, fill(3), 8))
	l.do(t, first, propose(logID, secondAddress))
	l.do(t, second, accept(logID))

	want := []published{
		{"contract", []xdr.ScVal{symbol(contracts.EventOpened), logID}, mapping(entry{"writer", firstAddress})},
		{"contract", []xdr.ScVal{symbol(contracts.EventCommitted), logID}, root(7, at, fill(3), 8)},
		{"contract", []xdr.ScVal{symbol(contracts.EventProposed), logID}, mapping(entry{"writer", secondAddress})},
		{"contract", []xdr.ScVal{symbol(contracts.EventAccepted), logID}, mapping(entry{"writer", secondAddress})},
	}
	same(t, "events of the log", want, l.published(t, start, logID))
	want = []published{
		{"contract", []xdr.ScVal{symbol(contracts.EventOpened), other}, mapping(entry{"writer", secondAddress})},
	}
	same(t, "events of the other log", want, l.published(t, start, other))
}

// published asks for the contract's events on a log.
func (l *ledger) published(t *testing.T, since uint32, logID xdr.ScVal) []published {
	t.Helper()
	id := *l.contract.ContractId
	answer, err := l.rpc.GetEvents(t.Context(), protocol.GetEventsRequest{
		StartLedger: since,
		Filters: []protocol.EventFilter{{
			ContractIDs: []string{strkey.MustEncode(strkey.VersionByteContract, id[:])},
			Topics:      []protocol.TopicFilter{{{Wildcard: new(protocol.WildCardExactOne)}, {ScVal: &logID}}},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	var events []published
	for _, e := range answer.Events {
		p := published{Type: e.EventType}
		for _, topic := range e.TopicXDR {
			var value xdr.ScVal
			decode(t, topic, &value)
			p.Topics = append(p.Topics, value)
		}
		decode(t, e.ValueXDR, &p.Data)
		events = append(events, p)
	}
	return events
}
