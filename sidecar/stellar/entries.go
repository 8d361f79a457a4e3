package stellar

import (
	"context"
	"errors"
	"fmt"

	"github.com/stellar/go-stellar-sdk/clients/rpcclient"
	protocol "github.com/stellar/go-stellar-sdk/protocols/rpc"
	"github.com/stellar/go-stellar-sdk/xdr"
)

// keysAtOnce is how many keys a server takes in one question.
const keysAtOnce = 200

// stored is an entry on the ledger.
type stored struct {
	data     xdr.LedgerEntryData
	archived bool
}

// entries reads ledger entries. The answer has one element for each key, nil where
// the ledger has nothing. It is one question for each keysAtOnce keys, so more than
// those may be of different ledgers.
func (c *Client) entries(ctx context.Context, keys ...xdr.LedgerKey) ([]*stored, error) {
	var all []*stored
	for len(keys) > 0 {
		some := keys[:min(keysAtOnce, len(keys))]
		keys = keys[len(some):]
		found, err := c.entriesAtOnce(ctx, some)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}

func (c *Client) entriesAtOnce(ctx context.Context, keys []xdr.LedgerKey) ([]*stored, error) {
	texts := make([]string, len(keys))
	for i, k := range keys {
		text, err := encode(k)
		if err != nil {
			return nil, fmt.Errorf("encode ledger key: %w", err)
		}
		texts[i] = text
	}
	answer, err := call(ctx, c, protocol.GetLedgerEntriesMethodName, func(rpc *rpcclient.Client, ctx context.Context) (protocol.GetLedgerEntriesResponse, error) {
		return rpc.GetLedgerEntries(ctx, protocol.GetLedgerEntriesRequest{Keys: texts})
	})
	if err != nil {
		return nil, err
	}
	found, err := match(texts, answer)
	if err != nil {
		return nil, c.nonsense(protocol.GetLedgerEntriesMethodName, err)
	}
	return found, nil
}

// match puts entries to the keys that were asked for.
func match(keys []string, answer protocol.GetLedgerEntriesResponse) ([]*stored, error) {
	if answer.LatestLedger == 0 {
		return nil, errors.New("it names no latest ledger")
	}
	place := make(map[string]int, len(keys))
	for i, k := range keys {
		place[k] = i
	}
	found := make([]*stored, len(keys))
	for _, e := range answer.Entries {
		i, asked := place[e.KeyXDR]
		switch {
		case !asked:
			return nil, errors.New("it has an entry that was not asked for")
		case found[i] != nil:
			return nil, errors.New("it has an entry twice")
		}
		s, err := readEntry(e, answer.LatestLedger)
		if err != nil {
			return nil, err
		}
		found[i] = s
	}
	return found, nil
}

func readEntry(e protocol.LedgerEntryResult, latest uint32) (*stored, error) {
	var s stored
	if _, err := decodeBase64(e.DataXDR, &s.data); err != nil {
		return nil, fmt.Errorf("read entry: %w", err)
	}
	key, err := s.data.LedgerKey()
	if err != nil {
		return nil, fmt.Errorf("read entry's key: %w", err)
	}
	switch text, err := encode(key); {
	case err != nil:
		return nil, fmt.Errorf("encode entry's key: %w", err)
	case text != e.KeyXDR:
		return nil, errors.New("an entry is not of its key")
	}
	if s.data.Type != xdr.LedgerEntryTypeContractData && s.data.Type != xdr.LedgerEntryTypeContractCode {
		return &s, nil
	}
	if e.LiveUntilLedgerSeq == nil {
		return nil, errors.New("an entry of a contract has no lifetime")
	}
	// Servers give 0 for what has expired, as they don't know since when.
	s.archived = *e.LiveUntilLedgerSeq < latest
	return &s, nil
}
