package checkpoint

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
)

// Keyring is which keys a reader takes for good, and for which sizes of a log.
type Keyring struct {
	keys []ringKey
	ids  map[KeyID]int
}

// ringKey is good for checkpoints of the sizes from..until, both inclusive.
type ringKey struct {
	VerifierKey
	from, until uint64
}

// maxKeyring bounds what is read of a file.
const maxKeyring = 1 << 20

// ReadKeyring reads a keyring from a file; see ParseKeyring.
func ReadKeyring(path string) (*Keyring, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read keyring: %w", err)
	}
	r, err := ParseKeyring(text)
	if err != nil {
		return nil, fmt.Errorf("read keyring %s: %w", path, err)
	}
	return r, nil
}

// ParseKeyring reads lines "VKEY [from=SIZE] [until=SIZE]": a key is good for
// checkpoints of these sizes, both inclusive. # begins a comment. A keyring has a
// key.
func ParseKeyring(text []byte) (*Keyring, error) {
	if len(text) > maxKeyring {
		return nil, fmt.Errorf("it has more than %d octets", maxKeyring)
	}
	r := &Keyring{ids: map[KeyID]int{}}
	for i, line := range bytes.Split(text, []byte("\n")) {
		line, _, _ = bytes.Cut(line, []byte("#"))
		words := strings.Fields(string(line))
		if len(words) == 0 {
			continue
		}
		if err := r.add(words); err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
	}
	if len(r.keys) == 0 {
		return nil, fmt.Errorf("it has no key: write lines of the form VKEY [from=SIZE] [until=SIZE]")
	}
	return r, nil
}

func (r *Keyring) add(words []string) error {
	key, err := ParseVerifierKey(words[0])
	if err != nil {
		return err
	}
	if _, twice := r.ids[key.ID()]; twice {
		return fmt.Errorf("the key %s is there already", key.ID())
	}
	k := ringKey{VerifierKey: key, until: math.MaxUint64}
	said := map[string]bool{}
	for _, word := range words[1:] {
		name, value, _ := strings.Cut(word, "=")
		bound := map[string]*uint64{"from": &k.from, "until": &k.until}[name]
		size, err := strconv.ParseUint(value, 10, 64)
		if bound == nil || err != nil || said[name] {
			return fmt.Errorf("%q is not what may follow a key: from=SIZE or until=SIZE, each once", word)
		}
		*bound, said[name] = size, true
	}
	if k.from > k.until {
		return fmt.Errorf("the key %s is good from %d until %d, which is never", key.ID(), k.from, k.until)
	}
	r.ids[key.ID()] = len(r.keys)
	r.keys = append(r.keys, k)
	return nil
}

// goodFor are the keys for a size.
func (r *Keyring) goodFor(size uint64) []VerifierKey {
	var keys []VerifierKey
	for _, k := range r.keys {
		if k.from <= size && size <= k.until {
			keys = append(keys, k.VerifierKey)
		}
	}
	return keys
}

// Check returns the keys of the ring that signed the note and are good for its
// size, at least one; else a RingError says why there is none.
func (r *Keyring) Check(n *Note) ([]KeyID, error) {
	good, err := n.SignedBy(r.goodFor(n.Size())...)
	if err != nil {
		return nil, &RingError{Text: err.Error()}
	}
	if len(good) > 0 {
		return good, nil
	}
	for _, id := range n.Signers() {
		i, known := r.ids[id]
		if !known {
			continue
		}
		k := r.keys[i]
		if _, err := n.SignedBy(k.VerifierKey); err != nil {
			return nil, &RingError{Text: err.Error()}
		}
		switch {
		case n.Size() > k.until:
			return nil, &RingError{Retired: true, Text: fmt.Sprintf("it is signed by %s, which was retired at size %d; its size is %d", id, k.until, n.Size())}
		case n.Size() < k.from:
			return nil, &RingError{Text: fmt.Sprintf("it is signed by %s, which is good from size %d on; its size is %d", id, k.from, n.Size())}
		}
	}
	return nil, &RingError{Text: fmt.Sprintf("no key of the keyring signed it; it names %s", join(n.Signers()))}
}

// RingError says why no key of a keyring vouches for a note.
type RingError struct {
	// Retired: only a key signed it that is not good any more.
	Retired bool
	Text    string
}

func (e *RingError) Error() string { return e.Text }

func join(ids []KeyID) string {
	list := make([]string, len(ids))
	for i, id := range ids {
		list[i] = id.String()
	}
	return strings.Join(list, ", ")
}
