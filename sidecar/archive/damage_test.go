package archive_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"verbatim/sidecar/archive"
	"verbatim/sidecar/auditlog"
)

// TestWhatWasChangedIsNamed changes each object of an archive in each way, as
// somebody could who owns the storage.
func TestWhatWasChangedIsNamed(t *testing.T) {
	for name, make := range map[string]func(*testing.T) *auditlog.Log{"whole": newLog, "pruned before": prunedLog} {
		t.Run(name, func(t *testing.T) { changed(t, make(t)) })
	}
}

func changed(t *testing.T, l *auditlog.Log) {
	p := folder(t)
	record(t, l, 60)
	keepRecords(t, l, "anchor/receipt/", 0, 4)
	b := p.open(t)
	archived(t, options(b, l))
	objects := p.objects(t)
	newest := ""
	for _, key := range objects {
		if strings.HasPrefix(key, "manifests/") {
			newest = key
		}
	}
	for i, key := range objects {
		good := read(t, p.path(key))
		sibling := objects[(i+1)%len(objects)]
		if !strings.HasPrefix(sibling, key[:8]) {
			sibling = objects[i-1]
		}
		for name, bad := range map[string][]byte{
			"a bit": flipped(good, len(good)/2), "the first bit": flipped(good, 0), "the last bit": flipped(good, len(good)-1),
			"cut off": good[:len(good)-1], "empty": {}, "longer": append(bytes.Clone(good), '\n'),
			"doubled": append(bytes.Clone(good), good...), "another one": read(t, p.path(sibling)),
		} {
			if err := os.WriteFile(p.path(key), bad, 0o600); err != nil {
				t.Fatal(err)
			}
			err := refused(t, b, archive.RestoreOptions{})
			if !errors.Is(err, archive.ErrAltered) && !errors.Is(err, archive.ErrVersion) && !errors.Is(err, archive.ErrMissing) {
				t.Errorf("%s, %s: %v", key, name, err)
			}
			named(t, key, name, err)
		}
		remove(t, p.path(key))
		if key != newest {
			if err := refused(t, b, archive.RestoreOptions{}); !errors.Is(err, archive.ErrMissing) {
				t.Errorf("%s is gone: %v", key, err)
			} else {
				named(t, key, "gone", err)
			}
		}
		if err := os.WriteFile(p.path(key), good, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	sameLog(t, l, restored(t, b), archived(t, options(b, l)).Through)
}

func flipped(b []byte, at int) []byte {
	b = bytes.Clone(b)
	b[at] ^= 1
	return b
}

// named wants an error in one line that has the object's name. Where the newest
// manifest says something else, that names what is not there.
func named(t *testing.T, key, how string, err error) {
	t.Helper()
	if text := err.Error(); strings.Contains(text, "\n") || !strings.Contains(text, key) && !strings.HasPrefix(key, "manifests/") {
		t.Errorf("%s, %s: %v", key, how, err)
	}
}

// TestAManifestUnderAnotherNumberIsSeen: as one that is newer than all others.
func TestAManifestUnderAnotherNumberIsSeen(t *testing.T) {
	l, p := site(t), folder(t)
	b := p.open(t)
	archived(t, options(b, l))
	write(t, p.path("manifests/00000000000000000009"), read(t, p.path("manifests/00000000000000000000")))
	err := refused(t, b, archive.RestoreOptions{})
	if !errors.Is(err, archive.ErrAltered) || !strings.Contains(err.Error(), "it is manifest 0, under the name of 9") {
		t.Errorf("restored: %v", err)
	}
	if _, err := archiver(options(b, l)).Once(t.Context()); !errors.Is(err, archive.ErrAltered) {
		t.Errorf("archived: %v", err)
	}
}

// TestAManifestOfAnyNumber: whoever may write to an archive names its newest manifest.
func TestAManifestOfAnyNumber(t *testing.T) {
	for _, number := range []uint64{1 << 20, 1 << 40, 1<<64 - 1} {
		l, p := site(t), folder(t)
		b := p.open(t)
		archived(t, options(b, l))
		record(t, l, 30)
		newest := archived(t, options(b, l)).Manifest
		honest, forged := fmt.Sprintf("\nnumber %d\n", newest), fmt.Sprintf("\nnumber %d\n", number)
		text := bytes.Replace(read(t, p.path(fmt.Sprintf("manifests/%020d", newest))), []byte(honest), []byte(forged), 1)
		write(t, p.path(fmt.Sprintf("manifests/%020d", number)), text)
		if err := refused(t, b, archive.RestoreOptions{}); !errors.Is(err, archive.ErrMissing) {
			t.Errorf("restored up to manifest %d: %v", number, err)
		}
	}
}

// TestWhatInterruptedWritesLeaveIsNoManifest: a folder keeps such files.
func TestWhatInterruptedWritesLeaveIsNoManifest(t *testing.T) {
	l, p := site(t), folder(t)
	b := p.open(t)
	s := archived(t, options(b, l))
	write(t, p.path("manifests/00000000000000000007.18c7a9.tmp"), []byte("verbatim arch"))
	sameLog(t, l, restored(t, b), s.Through)
}

func key(t *testing.T, name string) (note.Signer, note.Verifier) {
	t.Helper()
	secret, public, err := note.GenerateKey(rand.Reader, name)
	if err != nil {
		t.Fatal(err)
	}
	s, err := note.NewSigner(secret)
	if err != nil {
		t.Fatal(err)
	}
	v, err := note.NewVerifier(public)
	if err != nil {
		t.Fatal(err)
	}
	return s, v
}

func TestSignaturesAreChecked(t *testing.T) {
	l, p := site(t), folder(t)
	b := p.open(t)
	signer, verifier := key(t, "site-7")
	_, other := key(t, "site-7")
	good, bad := archive.RestoreOptions{Keys: note.VerifierList(other, verifier)}, archive.RestoreOptions{Keys: note.VerifierList(other)}

	unsigned := archived(t, options(b, l))
	if err := refused(t, b, good); !errors.Is(err, archive.ErrUnsigned) {
		t.Errorf("unsigned: %v", err)
	}
	record(t, l, 20)
	o := options(b, l)
	o.Signers = []note.Signer{signer}
	if s := archived(t, o); s.SignedBy != "site-7" || s.Manifest == unsigned.Manifest {
		t.Errorf("archived %+v after %+v", s, unsigned)
	}
	// The newest manifest names those before it, which need no signature.
	s, err := b.Restore(t.Context(), t.TempDir(), good)
	if err != nil || s.SignedBy != "site-7" {
		t.Errorf("signed: %+v, %v", s, err)
	}
	if err := refused(t, b, bad); !errors.Is(err, archive.ErrUnsigned) {
		t.Errorf("signed by another: %v", err)
	}
	if s, err := b.Restore(t.Context(), t.TempDir(), archive.RestoreOptions{}); err != nil || s.SignedBy != "" {
		t.Errorf("signed, and nobody asked: %+v, %v", s, err)
	}
	o.Keys = note.VerifierList(other)
	if _, err := archiver(o).Once(t.Context()); !errors.Is(err, archive.ErrUnsigned) {
		t.Errorf("archived behind a manifest of another key: %v", err)
	}

	newest, err := b.Newest(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	path := p.path("manifests/0000000000000000000" + string(rune('0'+newest.Manifest)))
	text := read(t, path)
	write(t, path, bytes.Replace(text, []byte("through "), []byte("through 1"), 1))
	if err := refused(t, b, good); !errors.Is(err, archive.ErrAltered) || !strings.Contains(err.Error(), "signature") {
		t.Errorf("changed under the signature: %v", err)
	}
}
