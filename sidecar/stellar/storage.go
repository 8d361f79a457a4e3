package stellar

import (
	"fmt"
	"math"
	"time"

	"github.com/stellar/go-stellar-sdk/xdr"

	"verbatim/contracts"
)

// Root is a checkpoint's root as the contract has it.
type Root struct {
	// CheckpointID is the checkpoint's number in its log.
	CheckpointID uint64
	// Hash is the root itself.
	Hash [32]byte
	// TimestampMS is the checkpoint's own clock, Unix milliseconds, as committed.
	TimestampMS uint64
	// Ledger and ClosedAt are of the ledger that stored it: the network's clock.
	Ledger   uint32
	ClosedAt time.Time
	// Archived says that the entry has expired: the server still shows it, the
	// contract doesn't find it until it is restored.
	Archived bool
}

// LogState is what the contract has of a log.
type LogState struct {
	// Writer may commit; Proposed may accept to be the writer, and is empty when
	// nobody is proposed. Both are G… or C….
	Writer, Proposed string
	// Latest is the newest root, nil before the first commit. It is part of the
	// log's entry: its Archived is the log's.
	Latest *Root
	// Archived says that the log's entry has expired. The next commit restores it.
	Archived bool
}

// Entry is an entry on the ledger that belongs to a contract.
type Entry struct {
	// Name says to people what it is: instance, code, log, or root and its number.
	Name string
	key  xdr.LedgerKey
}

func (k *Contract) instanceKey() xdr.LedgerKey {
	return k.dataKey(xdr.ScVal{Type: xdr.ScValTypeScvLedgerKeyContractInstance})
}

func (k *Contract) logKey(logID [32]byte) xdr.LedgerKey {
	return k.dataKey(vecValue(symbolValue(contracts.KeyLog), bytesValue(logID[:])))
}

func (k *Contract) rootKey(logID [32]byte, checkpointID uint64) xdr.LedgerKey {
	return k.dataKey(vecValue(symbolValue(contracts.KeyRoot), bytesValue(logID[:]), u64Value(checkpointID)))
}

func (k *Contract) dataKey(key xdr.ScVal) xdr.LedgerKey {
	return xdr.LedgerKey{Type: xdr.LedgerEntryTypeContractData, ContractData: &xdr.LedgerKeyContractData{
		Contract: k.address, Key: key, Durability: xdr.ContractDataDurabilityPersistent,
	}}
}

func codeKey(hash [32]byte) xdr.LedgerKey {
	return xdr.LedgerKey{Type: xdr.LedgerEntryTypeContractCode, ContractCode: &xdr.LedgerKeyContractCode{Hash: hash}}
}

// readLog reads the value of a log's entry.
func readLog(s *stored) (LogState, error) {
	f, err := fields(s.data.ContractData.Val, "latest", "proposed", "writer")
	if err != nil {
		return LogState{}, err
	}
	state := LogState{Archived: s.archived}
	if state.Writer, err = valueAddress(f[2]); err != nil {
		return LogState{}, fmt.Errorf("read writer: %w", err)
	}
	if f[1].Type != xdr.ScValTypeScvVoid {
		if state.Proposed, err = valueAddress(f[1]); err != nil {
			return LogState{}, fmt.Errorf("read proposed writer: %w", err)
		}
	}
	if f[0].Type != xdr.ScValTypeScvVoid {
		root, err := readRoot(f[0])
		if err != nil {
			return LogState{}, fmt.Errorf("read latest root: %w", err)
		}
		root.Archived = s.archived
		state.Latest = &root
	}
	return state, nil
}

// readRoot reads the contract's Root.
func readRoot(v xdr.ScVal) (Root, error) {
	f, err := fields(v, "checkpoint_id", "closed_at", "ledger", "root_hash", "timestamp")
	if err != nil {
		return Root{}, err
	}
	var r Root
	if r.CheckpointID, err = valueU64(f[0]); err != nil {
		return Root{}, fmt.Errorf("read checkpoint_id: %w", err)
	}
	seconds, err := valueU64(f[1])
	if err == nil {
		r.ClosedAt, err = closeTime(seconds)
	}
	if err != nil {
		return Root{}, fmt.Errorf("read closed_at: %w", err)
	}
	if r.Ledger, err = valueU32(f[2]); err == nil && (r.Ledger == 0 || r.Ledger > math.MaxInt32) {
		err = fmt.Errorf("ledger number %d is out of range", r.Ledger)
	}
	if err != nil {
		return Root{}, fmt.Errorf("read ledger: %w", err)
	}
	if r.Hash, err = valueHash(f[3]); err != nil {
		return Root{}, fmt.Errorf("read root_hash: %w", err)
	}
	if r.TimestampMS, err = valueU64(f[4]); err != nil {
		return Root{}, fmt.Errorf("read timestamp: %w", err)
	}
	return r, nil
}
