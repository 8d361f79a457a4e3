package stellar_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stellar/go-stellar-sdk/keypair"
	"golang.org/x/sys/unix"

	"verbatim/sidecar/stellar"
)

// writeKey writes a key file and returns its path.
func writeKey(t *testing.T, content string, mode fs.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "seed")
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil { // whatever the umask
		t.Fatal(err)
	}
	return path
}

func TestKeyFile(t *testing.T) {
	full := keypair.MustRandom()
	other := keypair.MustRandom()
	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := unix.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		path string
		want string // in the error; empty: the key is read
	}{
		"seed":               {writeKey(t, full.Seed(), 0o600), ""},
		"read only":          {writeKey(t, full.Seed(), 0o400), ""},
		"newline":            {writeKey(t, full.Seed()+"\n", 0o600), ""},
		"windows newline":    {writeKey(t, "\t"+full.Seed()+"\r\n", 0o600), ""},
		"group can read":     {writeKey(t, full.Seed(), 0o640), "others"},
		"others can read":    {writeKey(t, full.Seed(), 0o604), "others"},
		"others can write":   {writeKey(t, full.Seed(), 0o602), "others"},
		"empty":              {writeKey(t, "", 0o600), "secret seed"},
		"an address":         {writeKey(t, full.Address(), 0o600), "secret seed"},
		"two seeds":          {writeKey(t, full.Seed()+"\n"+other.Seed(), 0o600), "secret seed"},
		"a typo":             {writeKey(t, strings.Replace(full.Seed(), full.Seed()[20:22], "AB", 1)+"A", 0o600), "secret seed"},
		"seed after a lot":   {writeKey(t, strings.Repeat(" ", 300)+full.Seed(), 0o600), "secret seed"},
		"directory":          {t.TempDir(), "regular file"},
		"fifo":               {fifo, "regular file"},
		"missing":            {filepath.Join(t.TempDir(), "none"), "no such file"},
		"seed with a prefix": {writeKey(t, "seed: "+full.Seed(), 0o600), "secret seed"},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := stellar.KeyFile(c.path)
			if c.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				checkSigner(t, s, full)
				return
			}
			if err == nil {
				t.Fatal("it was read")
			}
			if !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), c.path) {
				t.Errorf("the error does not say what and where: %v", err)
			}
			hides(t, err.Error(), full)
			hides(t, err.Error(), other)
		})
	}
}

// TestASeedInTheWrongPlaceIsNotShown: where a file's name, or an address, belongs.
func TestASeedInTheWrongPlaceIsNotShown(t *testing.T) {
	full := keypair.MustRandom()
	_, asFile := stellar.KeyFile(full.Seed())
	_, asWriter := (&stellar.Contract{}).Propose([32]byte{}, full.Seed())
	for _, err := range []error{asFile, asWriter} {
		if err == nil {
			t.Fatal("it was taken")
		}
		hides(t, err.Error(), full)
	}
}

func TestKeyFromEnv(t *testing.T) {
	const name = "VERBATIM_TEST_SEED"
	full := keypair.MustRandom()
	t.Setenv(name, full.Seed())
	s, err := stellar.KeyFromEnv(name)
	if err != nil {
		t.Fatal(err)
	}
	checkSigner(t, s, full)
	if _, set := os.LookupEnv(name); set {
		t.Error("the variable is still set")
	}
	if _, err := stellar.KeyFromEnv(name); err == nil || !strings.Contains(err.Error(), name+" is not set") {
		t.Errorf("a missing variable: %v", err)
	}
	t.Setenv(name, full.Seed()[:55])
	if _, err := stellar.KeyFromEnv(name); err == nil || !strings.Contains(err.Error(), name) {
		t.Errorf("a wrong seed: %v", err)
	} else {
		hides(t, err.Error(), full)
	}
	if _, set := os.LookupEnv(name); set {
		t.Error("a wrong seed's variable is still set")
	}
}

func checkSigner(t *testing.T, s stellar.Signer, full *keypair.Full) {
	t.Helper()
	if s.Address() != full.Address() {
		t.Errorf("address is %s, not %s", s.Address(), full.Address())
	}
	hash := sha256.Sum256([]byte("anything"))
	signature, err := s.Sign(t.Context(), hash)
	if err != nil {
		t.Fatal(err)
	}
	if err := full.Verify(hash[:], signature); err != nil {
		t.Error(err)
	}
}

// TestSignerShowsNoSeed: however it, or what holds it, is printed or encoded.
func TestSignerShowsNoSeed(t *testing.T) {
	full := keypair.MustRandom()
	s, err := stellar.KeyFile(writeKey(t, full.Seed(), 0o600))
	if err != nil {
		t.Fatal(err)
	}
	payment := stellar.Payment{Payer: s, Writer: s, MaxFee: 1}
	var shown bytes.Buffer
	for _, v := range []any{s, &s, payment, &payment, []stellar.Signer{s}, map[string]stellar.Signer{"k": s}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%o", "%t", "%c", "%U"} {
			fmt.Fprintf(&shown, verb+"\n", v)
		}
		fmt.Fprintln(&shown, v, errors.New(fmt.Sprint(v)), fmt.Errorf("%+v", v))
		for _, logger := range []*slog.Logger{slog.New(slog.NewJSONHandler(&shown, nil)), slog.New(slog.NewTextHandler(&shown, nil))} {
			logger.Info("signer", "it", v)
		}
		if text, err := json.Marshal(v); err == nil {
			shown.Write(text)
		}
		if text, err := xml.Marshal(v); err == nil {
			shown.Write(text)
		}
		_ = gob.NewEncoder(&shown).Encode(v) // it may refuse
	}
	hides(t, shown.String(), full)
	if !strings.Contains(shown.String(), full.Address()) {
		t.Error("the address is not shown either")
	}
}

// hides fails when text has any long part of the seed, plain or in hexadecimal.
func hides(t *testing.T, text string, full *keypair.Full) {
	t.Helper()
	for _, secret := range []string{full.Seed(), full.Seed()[1:], full.Seed()[:20], full.Seed()[36:]} {
		hex, list := fmt.Sprintf("%x", secret), strings.Trim(fmt.Sprintf("%d", []byte(secret)), "[]")
		if strings.Contains(text, secret) || strings.Contains(strings.ToLower(text), hex) || strings.Contains(text, list) {
			t.Fatalf("the seed is shown: %.500s", text)
		}
	}
}
