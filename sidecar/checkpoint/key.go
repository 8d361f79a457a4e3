package checkpoint

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"unicode"

	"golang.org/x/mod/sumdb/note"

	"verbatim/sidecar/keyfile"
)

// Key signs checkpoints with Ed25519. However it is printed or encoded, only its
// verifier key shows. Its methods are safe for use by several goroutines.
type Key struct {
	signer note.Signer
	public VerifierKey
}

var (
	_ fmt.Formatter  = (*Key)(nil)
	_ slog.LogValuer = (*Key)(nil)
)

// maxKeyFile is more than any key with white space around it.
const maxKeyFile = 1024

// CreateKeySynced makes a new key with the operating system's secure generator,
// and a file for it that nobody but its owner can read. It returns after the file
// is durable. It never replaces a file.
func CreateKeySynced(path, name string) (*Key, error) {
	secret, _, err := note.GenerateKey(rand.Reader, name)
	if err != nil {
		return nil, fmt.Errorf("make key: %w", err)
	}
	k, err := parseKey(secret)
	if err != nil || !writable(name) {
		return nil, fmt.Errorf("make key: %q is no name of a key: it must not be empty or hold spaces, + or #, or what can't be printed", name)
	}
	if err := keyfile.CreateSynced(path, []byte(secret+"\n")); err != nil {
		return nil, err
	}
	return k, nil
}

// writable says that a verifier key of this name can be shown as it is, and be written
// into a keyring, where # begins a comment.
func writable(name string) bool {
	return strings.IndexFunc(name, func(r rune) bool { return r == '#' || !unicode.IsPrint(r) }) < 0
}

// KeyFile reads a key from a regular file that nobody but its owner can read.
// White space around it does not matter. Its errors don't show what is in it, nor a key
// that is given as the path.
func KeyFile(path string) (*Key, error) {
	if isPrivate(path) {
		return nil, errors.New("a key is given where the name of its file belongs: write it to a file with mode 0600, and use a new one if others saw it")
	}
	content, err := keyfile.Read(path, maxKeyFile)
	if err != nil {
		return nil, err
	}
	k, err := parseKey(strings.TrimSpace(string(content)))
	if err != nil {
		return nil, fmt.Errorf("key file %s does not hold a key of verbatim key new, PRIVATE+KEY+…", path)
	}
	return k, nil
}

// isPrivate says whether a text is a key of verbatim key new, or was to be one.
func isPrivate(text string) bool { return strings.Contains(text, "PRIVATE+KEY+") }

// parseKey's error may show the key.
func parseKey(secret string) (*Key, error) {
	signer, err := note.NewSigner(secret)
	if err != nil {
		return nil, err
	}
	// NewSigner took it: five parts, the last an octet for the algorithm and a seed.
	parts := strings.SplitN(secret, "+", 5)
	seed, err := base64.StdEncoding.DecodeString(parts[4])
	if err != nil {
		return nil, err
	}
	public, ok := ed25519.NewKeyFromSeed(seed[1:]).Public().(ed25519.PublicKey)
	if !ok {
		return nil, fmt.Errorf("no public half")
	}
	text, err := note.NewEd25519VerifierKey(signer.Name(), public)
	if err != nil {
		return nil, err
	}
	verifier, err := ParseVerifierKey(text)
	return &Key{signer, verifier}, err
}

// Public is the key's public half.
func (k *Key) Public() VerifierKey { return k.public }

// Signer signs other notes than checkpoints, such as an archive's manifests. What it
// signs can't be taken for a checkpoint: the caller sees to it.
func (k *Key) Signer() note.Signer { return k.signer }

// String is the verifier key.
func (k *Key) String() string { return k.public.String() }

// LogValue is the verifier key.
func (k *Key) LogValue() slog.Value { return slog.StringValue(k.String()) }

// MarshalText is the verifier key.
func (k *Key) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// Format covers every verb: %x and %d would walk through the fields.
func (k *Key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, k.String()) }
