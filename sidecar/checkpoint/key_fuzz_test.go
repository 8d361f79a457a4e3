package checkpoint

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"
)

// FuzzKeyFile: a key file holds a key whose verifier key checks what it signs, or is
// refused without a word of what is in it.
func FuzzKeyFile(f *testing.F) {
	secret, _, err := note.GenerateKey(bytes.NewReader(make([]byte, ed25519.SeedSize)), "example.org/log")
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{
		secret, " " + secret + "\r\n", strings.Replace(secret, "example", "éxample", 1), strings.Replace(secret, "PRIVATE", "PUBLIC", 1),
		secret[:len(secret)-4], "PRIVATE+KEY+a+00000000+AQ==", "++++", "",
	} {
		f.Add([]byte(seed))
	}
	path := filepath.Join(f.TempDir(), "key")
	f.Fuzz(func(t *testing.T, content []byte) {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		k, err := KeyFile(path)
		if err != nil {
			if err.Error() != fmt.Sprintf("key file %s does not hold a key of verbatim key new, PRIVATE+KEY+…", path) {
				t.Errorf("%q is refused with %q", content, err)
			}
			return
		}
		public, err := ParseVerifierKey(k.Public().String())
		if err != nil || public.ID() != k.Public().ID() {
			t.Fatalf("its verifier key %s is read as %s, %v", k.Public(), public, err)
		}
		signature, err := k.signer.Sign([]byte("text"))
		if err != nil || !public.verifier.Verify([]byte("text"), signature) {
			t.Errorf("what it signs is not verified, %v", err)
		}
		text := strings.TrimSpace(string(content))
		private := text[strings.LastIndex(text[:strings.LastIndex(text, "+")+1], "+")+1:]
		for _, shown := range []string{fmt.Sprint(k), fmt.Sprintf("%#v %+v %q %x", k, k, k, k)} {
			if strings.Contains(shown, private) || strings.Contains(shown, "PRIVATE") {
				t.Errorf("it shows itself: %s", shown)
			}
		}
	})
}
