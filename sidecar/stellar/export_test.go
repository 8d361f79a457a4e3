package stellar

import (
	"testing"
	"time"
)

// SetAnswerTime is for tests of servers that don't answer.
func (c *Client) SetAnswerTime(d time.Duration) { c.answerTime = d }

// Key is an entry's LedgerKey in base64 XDR.
func (e Entry) Key(t testing.TB) string {
	t.Helper()
	text, err := encode(e.key)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// Entries are all that belong to a log, as Expired would list them.
func (k *Contract) Entries(logID, code [32]byte, ids ...uint64) []Entry {
	all := []Entry{{"instance", k.instanceKey()}, {"code", codeKey(code)}, {"log", k.logKey(logID)}}
	for _, id := range ids {
		all = append(all, Entry{"root", k.rootKey(logID, id)})
	}
	return all
}
