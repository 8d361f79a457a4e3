package stellar

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"github.com/stellar/go-stellar-sdk/keypair"

	"verbatim/sidecar/keyfile"
)

// Signer signs with one account's Ed25519 key. A key management service can be one.
// Its methods are safe for use by several goroutines, and log nothing.
type Signer interface {
	// Address is the account's, G….
	Address() string
	// Sign returns the 64-byte Ed25519 signature of a 32-byte hash.
	Sign(ctx context.Context, hash [32]byte) ([]byte, error)
}

// maxSeedFile is more than any seed with white space around it.
const maxSeedFile = 256

// KeyFile reads a seed, S…, from a regular file that nobody but its owner can read.
// White space around the seed does not matter. Its errors don't show what is in it, nor
// a seed that is given as the path.
func KeyFile(path string) (Signer, error) {
	if _, err := parseSeed(path, ""); err == nil {
		return nil, errors.New("a seed is given where the name of a key file belongs: write it to a file with mode 0600, and use a new one if others saw it")
	}
	content, err := keyfile.Read(path, maxSeedFile)
	if err != nil {
		return nil, err
	}
	return parseSeed(string(content), "key file "+path)
}

// KeyFromEnv reads a seed, S…, from an environment variable and unsets the variable,
// so that programs started later don't get it.
func KeyFromEnv(name string) (Signer, error) {
	value, set := os.LookupEnv(name)
	if !set {
		return nil, fmt.Errorf("environment variable %s is not set: it must hold a secret seed, S…", name)
	}
	if err := os.Unsetenv(name); err != nil {
		return nil, fmt.Errorf("unset environment variable %s: %w", name, err)
	}
	return parseSeed(value, "environment variable "+name)
}

// MayBeSeed says whether a text can be a seed, S…, or a part of one: it is not shown.
func MayBeSeed(text string) bool { return strings.HasPrefix(text, "S") }

// parseSeed does not wrap the parser's error: it may show the seed.
func parseSeed(text, where string) (Signer, error) {
	full, err := keypair.ParseFull(strings.TrimSpace(text))
	if err != nil {
		return nil, fmt.Errorf("%s does not hold a secret seed, S… with 56 characters", where)
	}
	return &seedSigner{full: full}, nil
}

// seedSigner signs with a key in memory. However it is printed or encoded, only
// its address shows.
type seedSigner struct{ full *keypair.Full }

var (
	_ fmt.Formatter  = (*seedSigner)(nil)
	_ slog.LogValuer = (*seedSigner)(nil)
)

func (s *seedSigner) Address() string { return s.full.Address() }

func (s *seedSigner) Sign(_ context.Context, hash [32]byte) ([]byte, error) {
	return s.full.Sign(hash[:])
}

func (s *seedSigner) String() string               { return "signer of " + s.Address() }
func (s *seedSigner) LogValue() slog.Value         { return slog.StringValue(s.String()) }
func (s *seedSigner) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Format covers every verb: %x and %d would walk through the fields.
func (s *seedSigner) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }
