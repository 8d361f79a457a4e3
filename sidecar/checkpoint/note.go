package checkpoint

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/note"
)

// MaxNote is more than any note of a log is long, with the signatures of many
// witnesses.
const MaxNote = 64 << 10

// ErrMalformed says that octets are no signed checkpoint of a log.
var ErrMalformed = errors.New("not a signed checkpoint")

// Note is a signed checkpoint as it was read. Its signatures are not checked:
// SignedBy does that.
type Note struct {
	Checkpoint
	raw  []byte
	sigs []note.Signature
}

// Parse reads a signed checkpoint, and only the one spelling of it that Sign
// writes: whatever else differs in an octet is ErrMalformed. Signatures of
// strangers may be on it. It keeps a copy of raw.
func Parse(raw []byte) (*Note, error) {
	if len(raw) > MaxNote {
		return nil, fmt.Errorf("%w: it has more than %d octets", ErrMalformed, MaxNote)
	}
	_, err := note.Open(raw, nil)
	var open *note.UnverifiedNoteError
	if !errors.As(err, &open) {
		return nil, fmt.Errorf("%w: it is no signed note", ErrMalformed)
	}
	n := &Note{raw: bytes.Clone(raw), sigs: open.Note.UnverifiedSigs}
	if n.Checkpoint, err = parseText(open.Note.Text); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	for _, s := range n.sigs {
		if sig, err := base64.StdEncoding.Strict().DecodeString(s.Base64); err != nil || base64.StdEncoding.EncodeToString(sig) != s.Base64 {
			return nil, fmt.Errorf("%w: a signature of %s is not in base64", ErrMalformed, s.Name)
		}
	}
	if again, err := note.Sign(open.Note); err != nil || !bytes.Equal(again, raw) {
		return nil, fmt.Errorf("%w: a signature is on it twice", ErrMalformed)
	}
	return n, nil
}

// Raw is the note, octet by octet. The caller must not change it.
func (n *Note) Raw() []byte { return n.raw }

// Signers names the keys whose signatures are on the note, whether they are good
// or not.
func (n *Note) Signers() []KeyID {
	list := make([]KeyID, len(n.sigs))
	for i, s := range n.sigs {
		list[i] = KeyID{s.Name, s.Hash}
	}
	return list
}

// SignedBy returns which of these keys signed the note. A signature that claims to
// be of one of them and is not good is an error, whatever the others are. Those of
// other keys are not looked at.
func (n *Note) SignedBy(keys ...VerifierKey) ([]KeyID, error) {
	verifiers := make([]note.Verifier, len(keys))
	for i, k := range keys {
		verifiers[i] = k.verifier
	}
	opened, err := note.Open(n.raw, note.VerifierList(verifiers...))
	var bad *note.InvalidSignatureError
	var none *note.UnverifiedNoteError
	switch {
	case errors.As(err, &none):
		return nil, nil
	case errors.As(err, &bad):
		return nil, fmt.Errorf("the signature of %s is not good", KeyID{bad.Name, bad.Hash})
	case err != nil:
		return nil, fmt.Errorf("check signatures: %w", err)
	}
	list := make([]KeyID, len(opened.Sigs))
	for i, s := range opened.Sigs {
		list[i] = KeyID{s.Name, s.Hash}
	}
	return list, nil
}

// Sign makes a note of a checkpoint with the signatures of all keys, at least one,
// in their order. The same checkpoint and keys give the same octets.
func Sign(c Checkpoint, keys ...*Key) ([]byte, error) {
	if len(keys) == 0 {
		return nil, fmt.Errorf("sign checkpoint %d: no key", c.ID)
	}
	signers := make([]note.Signer, len(keys))
	for i, k := range keys {
		signers[i] = k.signer
	}
	raw, err := note.Sign(&note.Note{Text: c.Text()}, signers...)
	if err != nil {
		return nil, fmt.Errorf("sign checkpoint %d: %w", c.ID, err)
	}
	return raw, nil
}
