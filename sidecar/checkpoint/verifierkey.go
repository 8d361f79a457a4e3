package checkpoint

import (
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/note"
)

// KeyID is by what a signature names its key: a name, and four octets of a hash.
// It is no digest that could not be forged; a verifier key is.
type KeyID struct {
	Name string
	Hash uint32
}

func (id KeyID) String() string { return fmt.Sprintf("%s+%08x", id.Name, id.Hash) }

// VerifierKey is the public half of a key.
type VerifierKey struct {
	text     string
	verifier note.Verifier
}

// ParseVerifierKey reads a C2SP verifier key of Ed25519, NAME+HASH+KEY. Its error does
// not show the private half of one.
func ParseVerifierKey(text string) (VerifierKey, error) {
	if isPrivate(text) {
		return VerifierKey{}, errors.New("it is a key that signs, which belongs to its owner alone, and no verifier key: verbatim key show prints that")
	}
	v, err := note.NewVerifier(text)
	if err != nil {
		return VerifierKey{}, fmt.Errorf("%q is no verifier key of Ed25519, NAME+HASH+KEY: %w", text, err)
	}
	return VerifierKey{text, v}, nil
}

// ID is how its signatures name it.
func (k VerifierKey) ID() KeyID { return KeyID{k.verifier.Name(), k.verifier.KeyHash()} }

// String is the key as it is written, NAME+HASH+KEY.
func (k VerifierKey) String() string { return k.text }

// parseVerifierKeys reads a Start's keys, which differ in their ids.
func parseVerifierKeys(list []string) ([]VerifierKey, error) {
	keys, seen := make([]VerifierKey, len(list)), map[KeyID]bool{}
	for i, text := range list {
		k, err := ParseVerifierKey(text)
		if err != nil {
			return nil, err
		}
		if seen[k.ID()] {
			return nil, fmt.Errorf("the key %s is there twice", k.ID())
		}
		keys[i], seen[k.ID()] = k, true
	}
	return keys, nil
}
