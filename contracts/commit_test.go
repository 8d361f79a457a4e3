package contracts_test

import (
	"math"
	"testing"

	"verbatim/contracts"
)

// Ids only grow, over the whole range of u64: small values, objects from 2^56 on, and beyond what is signed.
func TestCommit(t *testing.T) {
	l := newLedger(t)
	writer := l.account(t)
	address := addressOf(accountAddress(t, writer))
	logID := fill(1)
	l.do(t, writer, open(logID, address))
	same(t, "latest of a new log", void, l.read(t, latest(logID)))

	const stores, repeats = "", "repeats"
	newest := void
	for _, c := range []struct {
		id   uint64
		root byte
		want string // stores, repeats, or the error
	}{
		{0, 1, stores},
		{0, 1, repeats},
		{0, 2, contractError(contracts.RootDiffers)},
		{5, 3, stores}, // a gap
		{5, 3, repeats},
		{5, 4, contractError(contracts.RootDiffers)},
		{3, 3, contractError(contracts.IDNotIncreasing)},
		{0, 1, repeats},
		{0, 3, contractError(contracts.RootDiffers)},
		{6, 3, stores}, // another checkpoint may have the same root
		{1<<56 - 2, 5, stores},
		{1<<56 - 1, 6, stores},
		{1 << 56, 7, stores},
		{1<<56 - 1, 6, repeats},
		{1 << 56, 7, repeats},
		{1 << 56, 6, contractError(contracts.RootDiffers)},
		{1<<56 - 3, 8, contractError(contracts.IDNotIncreasing)},
		{1<<56 + 1, 8, stores},
		{math.MaxInt64, 9, stores},
		{math.MaxInt64 + 1, 10, stores},
		{math.MaxInt64, 10, contractError(contracts.RootDiffers)},
		{math.MaxInt64 - 1, 10, contractError(contracts.IDNotIncreasing)},
		{math.MaxUint64 - 1, 11, stores},
		{math.MaxUint64, 12, stores},
		{math.MaxUint64, 12, repeats},
		{math.MaxUint64 - 2, 12, contractError(contracts.IDNotIncreasing)},
		{7, 12, contractError(contracts.IDNotIncreasing)},
		{5, 3, repeats},
	} {
		call := commit(logID, c.id, fill(c.root), c.id^7)
		logBefore, _ := l.entry(t, l.logKey(logID))
		rootBefore, hadRoot := l.entry(t, l.rootKey(logID, c.id))
		switch c.want {
		case stores:
			a := l.do(t, writer, call)
			newest = root(c.id, a.at, fill(c.root), c.id^7)
			stored, _ := l.entry(t, l.rootKey(logID, c.id))
			same(t, "stored root", newest, stored.Value)
			same(t, "returned value", void, a.value)
			if len(a.events) != 1 {
				t.Errorf("commit of %d gave %d events, want 1", c.id, len(a.events))
			}
		case repeats:
			// Another timestamp makes no difference: the first one stays.
			call.arguments[3] = number(c.id ^ 8)
			a := l.do(t, writer, call)
			same(t, "returned value", void, a.value)
			if len(a.events) != 0 {
				t.Errorf("a repeated commit of %d gave %d events, want none", c.id, len(a.events))
			}
		default:
			l.refused(t, writer, c.want, call, l.bySource(call))
		}
		if c.want != stores {
			logAfter, _ := l.entry(t, l.logKey(logID))
			rootAfter, hasRoot := l.entry(t, l.rootKey(logID, c.id))
			same(t, "log that must not change", logBefore, logAfter)
			same(t, "root that must not change", rootBefore, rootAfter)
			same(t, "whether there is a root", hadRoot, hasRoot)
		}
		same(t, "latest", newest, l.read(t, latest(logID)))
		stored, _ := l.entry(t, l.logKey(logID))
		same(t, "stored log", log(newest, void, address), stored.Value)
	}
}

func TestGet(t *testing.T) {
	l := newLedger(t)
	writer := l.account(t)
	logID := fill(1)
	l.do(t, writer, open(logID, addressOf(accountAddress(t, writer))))
	first := l.do(t, writer, commit(logID, 1, fill(2), 3)).at
	third := l.do(t, writer, commit(logID, 3, fill(4), math.MaxUint64)).at

	same(t, "first", root(1, first, fill(2), 3), l.read(t, get(logID, 1)))
	same(t, "third", root(3, third, fill(4), math.MaxUint64), l.read(t, get(logID, 3)))
	for _, id := range []uint64{0, 2, 4, math.MaxUint64} {
		same(t, "a checkpoint that is not stored", void, l.read(t, get(logID, id)))
	}
}

func TestOnlyOpenLogs(t *testing.T) {
	l := newLedger(t)
	writer := l.account(t)
	address := addressOf(accountAddress(t, writer))
	l.do(t, writer, open(fill(1), address))

	for _, c := range []call{
		commit(fill(2), 0, fill(3), 4), latest(fill(2)), get(fill(2), 0), propose(fill(2), address), accept(fill(2)),
	} {
		l.refused(t, writer, contractError(contracts.NotOpen), c, l.bySource(c))
	}
	again := open(fill(1), address)
	l.refused(t, writer, contractError(contracts.AlreadyOpen), again, l.bySource(again))
	other := l.account(t)
	again = open(fill(1), addressOf(accountAddress(t, other)))
	l.refused(t, other, contractError(contracts.AlreadyOpen), again, l.bySource(again))
}

// What is done with one log leaves every other as it was.
func TestLogsAreApart(t *testing.T) {
	l := newLedger(t)
	one, two := l.account(t), l.account(t)
	l.do(t, one, open(fill(1), addressOf(accountAddress(t, one))))
	l.do(t, two, open(fill(2), addressOf(accountAddress(t, two))))
	l.do(t, one, commit(fill(1), 9, fill(3), 4))
	logBefore, _ := l.entry(t, l.logKey(fill(1)))
	rootBefore, _ := l.entry(t, l.rootKey(fill(1), 9))

	at := l.do(t, two, commit(fill(2), 9, fill(5), 6)).at
	l.do(t, two, propose(fill(2), addressOf(accountAddress(t, one))))
	l.do(t, one, accept(fill(2)))
	same(t, "the other log's root", root(9, at, fill(5), 6), l.read(t, get(fill(2), 9)))

	logAfter, _ := l.entry(t, l.logKey(fill(1)))
	rootAfter, _ := l.entry(t, l.rootKey(fill(1), 9))
	same(t, "log", logBefore, logAfter)
	same(t, "root", rootBefore, rootAfter)
}
