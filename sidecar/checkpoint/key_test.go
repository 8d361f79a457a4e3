package checkpoint

import (
	"bytes"
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
)

func TestANewKeyIsReadAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	made, err := CreateKeySynced(path, "log.example/meters")
	if err != nil {
		t.Fatal(err)
	}
	read, err := KeyFile(path)
	if err != nil || read.Public() != made.Public() && read.Public().String() != made.Public().String() {
		t.Fatalf("made %v, read %v, %v", made, read, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := CreateKeySynced(path, "log.example/other"); !errors.Is(err, fs.ErrExist) {
		t.Errorf("in place of another: %v", err)
	}
	if after, err := os.ReadFile(path); err != nil || !bytes.Equal(after, before) {
		t.Errorf("the file changed, %v", err)
	}
	n, err := Parse(sign(t, golden, read))
	if err != nil {
		t.Fatal(err)
	}
	if by, err := n.SignedBy(made.Public()); err != nil || len(by) != 1 {
		t.Errorf("%v, %v", by, err)
	}
	for _, name := range []string{"", "a b", "a+b", "a\nb", "a#b", "\x1b[2J", "a\u202eb"} {
		file := filepath.Join(t.TempDir(), "key")
		if _, err := CreateKeySynced(file, name); err == nil || !strings.Contains(err.Error(), "name of a key") {
			t.Errorf("name %q: %v", name, err)
		}
		if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("name %q: a file was made", name)
		}
	}
}

// TestAKeyInTheWrongPlaceIsNotShown: where its file's name, or a verifier key, belongs.
func TestAKeyInTheWrongPlaceIsNotShown(t *testing.T) {
	file := filepath.Join(t.TempDir(), "key")
	if _, err := CreateKeySynced(file, "log.example/meters"); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.TrimSpace(string(content))
	_, asFile := KeyFile(text)
	_, asVerifier := ParseVerifierKey(text)
	_, asRing := ReadKeyring(file)
	for _, err := range []error{asFile, asVerifier, asRing} {
		if err == nil || strings.Contains(err.Error(), secretPart(text)) {
			t.Errorf("%v", err)
		}
	}
}

func TestWhatIsNoKeyIsRefused(t *testing.T) {
	file := filepath.Join(t.TempDir(), "good")
	if _, err := CreateKeySynced(file, "log.example/meters"); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.TrimSpace(string(good))
	for name, content := range map[string]string{
		"empty": "", "verifier key": fixedKey(t, "a", 1).Public().String(), "cut": text[:len(text)-3],
		"two": text + "\n" + text, "another name": strings.Replace(text, "meters", "metres", 1), "far down": strings.Repeat(" ", 2000) + text,
	} {
		path := filepath.Join(t.TempDir(), "key")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := KeyFile(path)
		if err == nil || !strings.Contains(err.Error(), path) || content != "" && strings.Contains(err.Error(), secretPart(text)) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := KeyFile(filepath.Join(t.TempDir(), "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

// secretPart is what must not be shown of a key file.
func secretPart(text string) string { return strings.SplitN(text, "+", 5)[4][2:22] }

// However a key, or what holds it, is printed or encoded, its secret does not show.
func TestAKeyShowsItsPublicHalfAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	k, err := CreateKeySynced(path, "log.example/meters")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var shown bytes.Buffer
	for _, v := range []any{k, *k, &k, []*Key{k}, map[string]*Key{"k": k}, Options{Keys: []*Key{k}}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%o"} {
			fmt.Fprintf(&shown, verb+"\n", v)
		}
		fmt.Fprintln(&shown, v, fmt.Errorf("%+v", v))
		slog.New(slog.NewJSONHandler(&shown, nil)).Info("key", "it", v)
		slog.New(slog.NewTextHandler(&shown, nil)).Info("key", "it", v)
		if text, err := json.Marshal(v); err == nil {
			shown.Write(text)
		}
		if text, err := xml.Marshal(v); err == nil {
			shown.Write(text)
		}
		_ = gob.NewEncoder(&shown).Encode(v) // it may refuse
	}
	secret := secretPart(strings.TrimSpace(string(text)))
	if strings.Contains(shown.String(), secret) || strings.Contains(shown.String(), fmt.Sprintf("%x", secret)) {
		t.Error("the secret is shown")
	}
	if !strings.Contains(shown.String(), k.Public().String()) {
		t.Error("the verifier key is not shown either")
	}
}
