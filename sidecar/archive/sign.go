package archive

import (
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/note"

	"verbatim/sidecar/chain"
)

// seal is a manifest as it is stored: with signers a C2SP signed note, else
// its text alone.
func seal(m *Manifest, signers []note.Signer) ([]byte, error) {
	if len(signers) == 0 {
		return []byte(m.text()), nil
	}
	b, err := note.Sign(&note.Note{Text: m.text()}, signers...)
	if err != nil {
		return nil, fmt.Errorf("sign manifest %d: %w", m.Number, err)
	}
	return b, nil
}

// sealed is a manifest that was read.
type sealed struct {
	*Manifest
	// Digest is SHA-256 of the object.
	Digest chain.Hash
	// SignedBy is the name of the key whose signature was checked; empty: none was.
	SignedBy string
	// Signatures is how many it has, checked or not.
	Signatures int
}

// unseal reads a stored manifest. With keys, it checks its signatures; whether one
// is demanded is the caller's business.
func unseal(b []byte, keys note.Verifiers) (*sealed, error) {
	s := &sealed{Digest: chain.EventHash(b)}
	if keys == nil {
		keys = note.VerifierList()
	}
	text := string(b)
	n, err := note.Open(b, keys)
	unverified := (*note.UnverifiedNoteError)(nil)
	switch {
	case err == nil:
		text, s.SignedBy, s.Signatures = n.Text, n.Sigs[0].Name, len(n.Sigs)+len(n.UnverifiedSigs)
	case errors.As(err, &unverified):
		text, s.Signatures = unverified.Note.Text, len(unverified.Note.UnverifiedSigs)
	default:
		invalid := (*note.InvalidSignatureError)(nil)
		if errors.As(err, &invalid) {
			return nil, fmt.Errorf("%w: the signature of %s does not fit", ErrAltered, invalid.Name)
		}
		// No signed note: then all of it is the text.
	}
	if s.Manifest, err = parseManifest(text); err != nil {
		if errors.Is(err, ErrVersion) {
			return nil, err
		}
		return nil, fmt.Errorf("%w: %w", ErrAltered, err)
	}
	return s, nil
}
