package verify

import (
	"fmt"

	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/chain"
)

// Code is a finding's stable name.
type Code string

// The codes of findings.
const (
	CodeUnreadable   Code = "unreadable"    // the storage can't give the entry
	CodeMissing      Code = "missing"       // a hole in the offsets
	CodeEventHash    Code = "event-hash"    // event_hash is not SHA-256(raw_event_bytes)
	CodeLink         Code = "link"          // the chain does not hold
	CodeTip          Code = "tip"           // the newest entry is not the stored root's, or not the newest
	CodeUndecodable  Code = "undecodable"   // the raw bytes are no event of this format
	CodeGenesis      Code = "genesis"       // not exactly one, at offset 0
	CodeClock        Code = "clock"         // wall_clock_ms goes back
	CodeOutcome      Code = "outcome"       // an outcome of no open request
	CodeCheckpoint   Code = "checkpoint"    // a footer does not fit its window
	CodeUnsealed     Code = "unsealed"      // a full window without a checkpoint
	CodeTrustedRoot  Code = "trusted-root"  // differs from a root the reader trusts
	CodePolicy       Code = "policy"        // a Start's policy is not its digest's
	CodeIgnored      Code = "ignored"       // what was taken out of a body does not fit into it
	CodeStoredFooter Code = "stored-footer" // the record of a checkpoint is not the chain's
	CodeIndex        Code = "index"         // the index by term or time is not the entries'
	CodeTree         Code = "tree"          // the stored Merkle nodes are not the entries'
	CodeTwice        Code = "twice"         // an entry is stored more than once
	CodeRecords      Code = "records"       // the storage can't give what is kept beside the chain
	CodeCut          Code = "cut"           // the log does not begin where it was cut
)

// Finding is one thing that is wrong, and where.
type Finding struct {
	Offset uint64 `json:"offset"`
	Code   Code   `json:"code"`
	Text   string `json:"text"`
}

func (f Finding) String() string { return fmt.Sprintf("offset %d: %s: %s", f.Offset, f.Code, f.Text) }

// maxFindings bounds a report; the first are the ones that matter.
const maxFindings = 100

// Report is what a verification found and what it rests on.
type Report struct {
	// Entries counts those whose links were checked, from the offset First on.
	Entries uint64
	// First is 0, the Checkpoint at which the log was cut, or the one that an earlier
	// verification had reached.
	First uint64
	// Cut says where the log was pruned; zero: it was not.
	Cut auditlog.Cut
	// Pruned is what the log says of what was pruned; nil if that was not checked.
	Pruned *Pruned
	// Tip is the newest offset and ChainRoot its entry hash, as stored.
	Tip       uint64
	ChainRoot chain.Hash
	// Checkpoints counts those that were checked, SealedThrough is the last
	// offset that one of them covers; it means nothing when there are none.
	Checkpoints   uint64
	SealedThrough uint64
	Requests      uint64
	Responses     uint64
	Aborts        uint64
	Gaps          uint64
	// OfPruned are outcomes of requests that were pruned.
	OfPruned uint64
	// Open are requests without an outcome up to the last entry checked.
	Open uint64
	// TrustedRoots counts those that were compared.
	TrustedRoots int
	Findings     []Finding
	// Broken: the chain does not hold, and nothing behind the first finding was
	// checked.
	Broken bool
}

// OK says that nothing is wrong with what was checked.
func (r *Report) OK() bool { return len(r.Findings) == 0 }

// add appends a finding, up to maxFindings.
func (r *Report) add(offset uint64, code Code, format string, args ...any) {
	if !r.full() {
		r.Findings = append(r.Findings, Finding{Offset: offset, Code: code, Text: fmt.Sprintf(format, args...)})
	}
}

// full says that no more findings are taken.
func (r *Report) full() bool { return len(r.Findings) >= maxFindings }
