package stellar

import (
	"context"
	"errors"
	"fmt"

	protocol "github.com/stellar/go-stellar-sdk/protocols/rpc"
	"github.com/stellar/go-stellar-sdk/xdr"
)

// Contract is one audit_root contract. Its methods are safe for use by several
// goroutines.
type Contract struct {
	client  *Client
	id      string // C…
	address xdr.ScAddress
}

// Contract is the one with this id, C…. It asks nothing.
func (c *Client) Contract(id string) (*Contract, error) {
	address, err := contractAddress(id)
	if err != nil {
		return nil, err
	}
	return &Contract{client: c, id: id, address: address}, nil
}

// ID is the contract's, C….
func (k *Contract) ID() string { return k.id }

// Log reads what the contract has of a log. ErrNotOpen, ErrNoContract.
func (k *Contract) Log(ctx context.Context, logID [32]byte) (LogState, error) {
	found, err := k.client.entries(ctx, k.instanceKey(), k.logKey(logID))
	switch {
	case err != nil:
		return LogState{}, err
	case found[0] == nil:
		return LogState{}, fmt.Errorf("%w: %s", ErrNoContract, k.id)
	case found[1] == nil:
		return LogState{}, fmt.Errorf("%w: log %x, contract %s", ErrNotOpen, logID, k.id)
	}
	state, err := readLog(found[1])
	if err != nil {
		return LogState{}, k.client.nonsense(protocol.GetLedgerEntriesMethodName, fmt.Errorf("log %x: %w", logID, err))
	}
	return state, nil
}

// Roots reads the roots of a log that are stored under these checkpoint ids. Those
// that are not are absent.
func (k *Contract) Roots(ctx context.Context, logID [32]byte, ids []uint64) (map[uint64]Root, error) {
	keys := make([]xdr.LedgerKey, len(ids))
	for i, id := range ids {
		keys[i] = k.rootKey(logID, id)
	}
	found, err := k.client.entries(ctx, keys...)
	if err != nil {
		return nil, err
	}
	roots := make(map[uint64]Root, len(ids))
	for i, s := range found {
		if s == nil {
			continue
		}
		root, err := readRoot(s.data.ContractData.Val)
		if err == nil && root.CheckpointID != ids[i] {
			err = fmt.Errorf("it is of checkpoint %d", root.CheckpointID)
		}
		if err != nil {
			return nil, k.client.nonsense(protocol.GetLedgerEntriesMethodName, fmt.Errorf("root %d of log %x: %w", ids[i], logID, err))
		}
		root.Archived = s.archived
		roots[ids[i]] = root
	}
	return roots, nil
}

// Executable is the SHA-256 of the contract's code. ErrNoContract.
func (k *Contract) Executable(ctx context.Context) ([32]byte, error) {
	found, err := k.client.entries(ctx, k.instanceKey())
	switch {
	case err != nil:
		return [32]byte{}, err
	case found[0] == nil:
		return [32]byte{}, fmt.Errorf("%w: %s", ErrNoContract, k.id)
	}
	hash, err := readCode(found[0].data.ContractData.Val)
	if err != nil {
		return [32]byte{}, k.client.nonsense(protocol.GetLedgerEntriesMethodName, fmt.Errorf("instance of contract %s: %w", k.id, err))
	}
	return hash, nil
}

func readCode(v xdr.ScVal) ([32]byte, error) {
	instance, ok := v.GetInstance()
	if !ok {
		return [32]byte{}, errors.New("it is not an instance")
	}
	hash, ok := instance.Executable.GetWasmHash()
	if !ok {
		return [32]byte{}, errors.New("it does not run WebAssembly of its own")
	}
	return hash, nil
}

// Expired lists which of these have expired: the contract's instance and code, the
// log's entry, and its roots with these checkpoint ids. ErrNoContract.
func (k *Contract) Expired(ctx context.Context, logID [32]byte, ids []uint64) ([]Entry, error) {
	code, err := k.Executable(ctx)
	if err != nil {
		return nil, err
	}
	all := []Entry{{"instance", k.instanceKey()}, {"code", codeKey(code)}, {"log", k.logKey(logID)}}
	for _, id := range ids {
		all = append(all, Entry{fmt.Sprintf("root %d", id), k.rootKey(logID, id)})
	}
	keys := make([]xdr.LedgerKey, len(all))
	for i, e := range all {
		keys[i] = e.key
	}
	found, err := k.client.entries(ctx, keys...)
	if err != nil {
		return nil, err
	}
	var expired []Entry
	for i, s := range found {
		if s != nil && s.archived {
			expired = append(expired, all[i])
		}
	}
	return expired, nil
}
