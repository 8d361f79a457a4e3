package checkpoint

import (
	"bytes"
	"encoding/base64"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/transparency-dev/formats/log"
	"golang.org/x/mod/sumdb/note"

	"verbatim/sidecar/chain"
)

// goldenNote was signed with a key whose seed is thirty-two times the octet 7.
const goldenNote = "testdata/note.txt"

var golden = Checkpoint{LogID: chain.Hash{1}, Offset: 3000, MerkleRoot: chain.EventHash([]byte("tree")), ID: 2, EntryHash: chain.EventHash([]byte("entry"))}

// fixedKey has a seed that is always the same.
func fixedKey(t *testing.T, name string, octet byte) *Key {
	t.Helper()
	secret, _, err := note.GenerateKey(bytes.NewReader(bytes.Repeat([]byte{octet}, 64)), name)
	if err != nil {
		t.Fatal(err)
	}
	k, err := parseKey(secret)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func sign(t *testing.T, c Checkpoint, keys ...*Key) []byte {
	t.Helper()
	raw, err := Sign(c, keys...)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestANoteIsAlwaysWrittenSo(t *testing.T) {
	k := fixedKey(t, "log.example/meters", 7)
	want, err := os.ReadFile(goldenNote)
	if err != nil {
		t.Fatal(err)
	}
	if got := sign(t, golden, k); !bytes.Equal(got, want) {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	n, err := Parse(want)
	if err != nil || n.Checkpoint != golden || !bytes.Equal(n.Raw(), want) {
		t.Errorf("read as %+v, %v", n, err)
	}
}

// The parsers of transparency logs take what we sign, as long as they know the key.
func TestTheToolsOfTransparencyLogsReadOurNotes(t *testing.T) {
	old, renewed := fixedKey(t, "log.example/old", 1), fixedKey(t, "log.example/new", 2)
	raw := sign(t, golden, old, renewed)
	for _, k := range []*Key{old, renewed} {
		verifier, err := note.NewVerifier(k.Public().String())
		if err != nil {
			t.Fatal(err)
		}
		c, rest, n, err := log.ParseCheckpoint(raw, Origin(golden.LogID), verifier)
		if err != nil {
			t.Fatal(err)
		}
		if c.Origin != Origin(golden.LogID) || c.Size != golden.Size() || !bytes.Equal(c.Hash, golden.MerkleRoot[:]) || len(n.Sigs) != 1 {
			t.Errorf("read as %+v, %+v", c, n)
		}
		if want := "checkpoint 2 3000 " + golden.EntryHash.String() + "\n"; string(rest) != want {
			t.Errorf("its extension is %q, want %q", rest, want)
		}
	}
	verifier, err := note.NewVerifier(fixedKey(t, "log.example/old", 3).Public().String())
	if err != nil {
		t.Fatal(err)
	}
	if _, _, _, err := log.ParseCheckpoint(raw, Origin(golden.LogID), verifier); err == nil {
		t.Error("a key that did not sign is taken for one that did")
	}
}

// Every bit of a note counts: a flipped one makes it none, or its signatures no
// good, or of strangers.
func TestEachFlippedBitOfANoteIsSeen(t *testing.T) {
	k := fixedKey(t, "log.example/a", 1)
	raw := sign(t, golden, k)
	for i := range raw {
		for bit := range 8 {
			flipped := bytes.Clone(raw)
			flipped[i] ^= 1 << bit
			n, err := Parse(flipped)
			if errors.Is(err, ErrMalformed) {
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			if by, err := n.SignedBy(k.Public()); err == nil && len(by) > 0 {
				t.Errorf("bit %d of octet %d: still signed: %q", bit, i, flipped)
			}
		}
	}
}

func TestWhatIsNoNoteIsRefused(t *testing.T) {
	raw := string(sign(t, golden, fixedKey(t, "log.example/a", 1)))
	root := base64.StdEncoding.EncodeToString(golden.MerkleRoot[:])
	text, sig, _ := strings.Cut(raw, "\n\n")
	replaced := func(old, with string) string { return strings.Replace(raw, old, with, 1) }
	for name, c := range map[string]struct{ raw, want string }{
		"empty":            {"", "no signed note"},
		"no signature":     {text + "\n\n", "no signed note"},
		"no blank line":    {text + "\n" + sig, "no signed note"},
		"windows":          {strings.ReplaceAll(raw, "\n", "\r\n"), "no signed note"},
		"signature cut":    {raw[:len(raw)-4] + "\n", "no signed note"},
		"twice signed":     {raw + sig, "twice"},
		"too long":         {raw + strings.Repeat(sig, 1000), "more than 65536"},
		"another origin":   {replaced("verbatim/", "elsewhere/"), "origin"},
		"short origin":     {replaced("verbatim/01", "verbatim/"), "origin"},
		"upper case":       {replaced(golden.EntryHash.String(), strings.ToUpper(golden.EntryHash.String())), "not written as"},
		"size":             {replaced("\n3000\n", "\n3001\n"), "not the offset 3000"},
		"size with zeroes": {replaced("\n3000\n", "\n03000\n"), "not written as"},
		"no size":          {replaced("\n3000\n", "\nmany\n"), `size "many"`},
		"large size":       {replaced("\n3000\n", "\n99999999999999999999\n"), "size"},
		"root":             {replaced(root, root[:40]+"===="), "root"},
		"short root":       {replaced(root, root[:40]), "root"},
		"no entry":         {replaced("checkpoint 2 3000 "+golden.EntryHash.String()+"\n", ""), "3 lines"},
		"more lines":       {replaced("\n\n", "\nmore\n\n"), "5 lines"},
		"empty line":       {replaced("\n\n", "\n\n\n"), "5 lines"},
		"id":               {replaced("checkpoint 2 ", "checkpoint -2 "), "checkpoint ID OFFSET HASH"},
		"word":             {replaced("checkpoint 2 ", "footer 2 "), "checkpoint ID OFFSET HASH"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Parse([]byte(c.raw)); !errors.Is(err, ErrMalformed) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

func TestWhoSignedANote(t *testing.T) {
	a, b, c := fixedKey(t, "log.example/a", 1), fixedKey(t, "log.example/b", 2), fixedKey(t, "log.example/a", 3)
	n, err := Parse(sign(t, golden, a, b))
	if err != nil {
		t.Fatal(err)
	}
	if got := join(n.Signers()); got != a.Public().ID().String()+", "+b.Public().ID().String() {
		t.Errorf("signers %s", got)
	}
	for _, test := range []struct {
		keys []VerifierKey
		want string
	}{
		{nil, ""}, {[]VerifierKey{c.Public()}, ""},
		{[]VerifierKey{b.Public()}, b.Public().ID().String()},
		{[]VerifierKey{c.Public(), b.Public(), a.Public()}, a.Public().ID().String() + ", " + b.Public().ID().String()},
	} {
		if by, err := n.SignedBy(test.keys...); err != nil || join(by) != test.want {
			t.Errorf("by %v: %v, %v; want %s", test.keys, by, err, test.want)
		}
	}
	other := golden
	other.ID++
	_, sigs, _ := strings.Cut(string(sign(t, golden, a)), "\n\n")
	forged, err := Parse([]byte(other.Text() + "\n" + sigs))
	if err != nil {
		t.Fatal(err)
	}
	if by, err := forged.SignedBy(a.Public()); err == nil || !strings.Contains(err.Error(), a.Public().ID().String()+" is not good") {
		t.Errorf("another text under the signature: %v, %v", by, err)
	}
	if _, err := Sign(golden); err == nil {
		t.Error("a note without a signature was made")
	}
}

func FuzzParse(f *testing.F) {
	raw, err := os.ReadFile(goldenNote)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Add(bytes.Replace(raw, []byte("\n\n"), []byte("\n\n\n"), 1))
	_, sigs, _ := bytes.Cut(raw, []byte("\n\n"))
	f.Add(append(bytes.Clone(raw), sigs...))
	f.Add([]byte("verbatim/\n0\n\n\n\n— a AAAAAAA=\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		n, err := Parse(raw)
		if err != nil {
			if !errors.Is(err, ErrMalformed) || strings.Contains(err.Error(), "\n") {
				t.Errorf("the error is no sentence about a note: %q", err)
			}
			return
		}
		if !bytes.Equal(n.Raw(), raw) || !bytes.HasPrefix(raw, []byte(n.Text()+"\n")) || len(n.Signers()) == 0 {
			t.Errorf("%q is read as %+v", raw, n)
		}
	})
}
