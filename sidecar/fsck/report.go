package fsck

import (
	"fmt"

	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/chain"
	"verbatim/sidecar/verify"
)

// Finding is one thing that is wrong: with a file, or with an entry.
type Finding struct {
	// File is relative to the log's directory; empty: it is about the entry at Offset.
	File   string      `json:"file,omitempty"`
	Offset uint64      `json:"offset"`
	Code   verify.Code `json:"code"`
	Text   string      `json:"text"`
}

// CodeFile is the code of what is wrong with a file.
const CodeFile verify.Code = "file"

func (f Finding) String() string {
	if f.File != "" {
		return fmt.Sprintf("file %s: %s", f.File, f.Text)
	}
	return verify.Finding{Offset: f.Offset, Code: f.Code, Text: f.Text}.String()
}

// Report is what is wrong with a log, and what is left of it.
type Report struct {
	// Findings are empty for a log in which nothing is wrong; then the rest is, too.
	Findings []Finding
	// Opens says that readers can open the log as it is.
	Opens bool
	// Looked says that the entries could be looked for. If not, RepairSynced can, in a
	// copy.
	Looked bool
	// Proved are the entries that prove each other, from the first on; nil: none.
	Proved *auditlog.Range
	// Cut is where the log was pruned, zero: it was not.
	Cut auditlog.Cut
	// Lost is what is behind them and was once durable, as far as that is known.
	Lost *auditlog.Range
	// Stranded are entries of those that can be read, but don't follow from what is
	// proved. They stay where they are.
	Stranded []auditlog.Range
	// Why says what ends the entries that are proved; empty: nothing, it is the tip.
	Why string
	// Root is the hash of the last of them.
	Root chain.Hash
}

// Clean says that nothing is wrong.
func (r *Report) Clean() bool { return len(r.Findings) == 0 }

func (r *Report) file(name, format string, args ...any) {
	r.Findings = append(r.Findings, Finding{File: name, Code: CodeFile, Text: fmt.Sprintf(format, args...)})
}
