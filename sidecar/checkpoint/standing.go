package checkpoint

import (
	"fmt"
	"time"

	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/verify"
)

// The codes of findings beside those of package verify.
const (
	// CodeUnsigned: a note is missing where one has to be.
	CodeUnsigned verify.Code = "unsigned"
	// CodeNote: a note is none, or of no checkpoint of the log.
	CodeNote verify.Code = "note"
	// CodeSigned: the log is not the one that was signed.
	CodeSigned verify.Code = "signed-root"
	// CodeSignature: a signature is not good, or of a key that was not in force.
	CodeSignature verify.Code = "signature"
	// CodeKey: no key of the reader's keyring signed a note.
	CodeKey verify.Code = "signature-key"
	// CodeRetired: only a key signed a note that the keyring says was retired.
	CodeRetired verify.Code = "signature-retired"
	// CodeNotSigned: nothing in the log is signed.
	CodeNotSigned verify.Code = "not-signed"
	// CodeKept: the log does not contain a checkpoint that the reader kept.
	CodeKept verify.Code = "kept-checkpoint"
)

// Standing says which part of a log's checkpoints is signed, and by whom.
type Standing struct {
	// Notes is how many were compared and are good.
	Notes uint64
	// Through is the newest checkpoint with a good note, nil if there is none: all
	// entries up to its offset are covered. By are the keys that were asked for and
	// signed it.
	Through *auditlog.CheckpointAt
	By      []KeyID
	// Unsigned is how many checkpoints were made while no key was in force.
	Unsigned uint64
	// NotYet is how many of the newest checkpoints wait for their signature, the
	// oldest of them sealed at Since, by the log's own clock.
	NotYet uint64
	Since  time.Time
	// NotYetFrom is the offset of the oldest of them.
	NotYetFrom uint64
	Findings   []verify.Finding
}

// OK says that nothing is wrong with what was checked.
func (s *Standing) OK() bool { return len(s.Findings) == 0 }

// maxFindings bounds a standing; the first are the ones that matter.
const maxFindings = 100

func (s *Standing) add(offset uint64, code verify.Code, format string, args ...any) {
	if len(s.Findings) < maxFindings {
		s.Findings = append(s.Findings, verify.Finding{Offset: offset, Code: code, Text: fmt.Sprintf(format, args...)})
	}
}
