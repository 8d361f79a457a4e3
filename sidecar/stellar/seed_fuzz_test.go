package stellar

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stellar/go-stellar-sdk/keypair"
)

// FuzzSeed: a text is a seed whose address checks what it signs, or is refused without a
// word of what is in it.
func FuzzSeed(f *testing.F) {
	some, err := keypair.FromRawSeed([32]byte{1})
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{some.Seed(), " " + some.Seed() + "\n", strings.ToLower(some.Seed()), some.Address(), some.Seed()[:55], some.Seed() + "A", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := parseSeed(text, "it")
		if err != nil {
			if err.Error() != "it does not hold a secret seed, S… with 56 characters" {
				t.Errorf("%q is refused with %q", text, err)
			}
			return
		}
		hash := [32]byte{2}
		signature, err := s.Sign(t.Context(), hash)
		if err != nil {
			t.Fatal(err)
		}
		address, err := keypair.ParseAddress(s.Address())
		if err != nil || address.Verify(hash[:], signature) != nil {
			t.Errorf("its address %s does not check what it signs: %v", s.Address(), err)
		}
		if shown := fmt.Sprintf("%v %+v %#v %q", s, s, s, s); strings.Contains(shown, strings.TrimSpace(text)) {
			t.Errorf("it shows itself: %s", shown)
		}
	})
}
