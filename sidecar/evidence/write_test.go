package evidence

import (
	"bytes"
	"errors"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// A file is made whole and for its owner alone, or not at all.
func TestAFileIsWritten(t *testing.T) {
	p := newPlace(t, nil)
	q := p.request("m1", false)
	p.response(q)
	p.seal()
	f := p.prove(q, Options{})
	dir := t.TempDir()
	path := filepath.Join(dir, "e.vbev")
	if err := f.WriteSynced(path); err != nil {
		t.Fatal(err)
	}
	info := must(os.Stat(path))(t)
	if again := must(Read(path))(t); !bytes.Equal(again.Bytes(), f.Bytes()) || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, mode %v", again, info.Mode())
	}
	if err := f.WriteSynced(path); !errors.Is(err, fs.ErrExist) {
		t.Errorf("written again: %v", err)
	}
	if err := f.WriteSynced(filepath.Join(dir, "none", "e.vbev")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no directory: %v", err)
	}
	if _, err := Read(dir); err == nil {
		t.Error("a directory was read")
	}
}

// Every octet of a file counts: cut off anywhere, or with one bit changed, it is
// refused; with the checksum made again it is refused, or says something else.
func TestEveryOctetOfAFileCounts(t *testing.T) {
	p := newPlace(t, nil)
	q := p.request("m1", true)
	p.response(q)
	p.seal()
	f := p.prove(q, Options{Divergence: &Divergence{
		Output: answer(t, "{}"), Reason: "r", TargetImage: "i", Version: "v", At: time.UnixMilli(1_772_359_200_000),
	}})
	honest := f.Check(Trusted{})
	for i := range f.raw {
		if _, err := Parse(f.raw[:i]); !errors.Is(err, ErrMalformed) {
			t.Errorf("cut off at %d of %d: %v", i, len(f.raw), err)
		}
		if _, err := Parse(flip(f.raw, i)); !errors.Is(err, ErrMalformed) {
			t.Errorf("octet %d of %d: %v", i, len(f.raw), err)
		}
	}
	body := f.raw[:len(f.raw)-crc32.Size]
	for i := range body {
		changed, err := Parse(seal(flip(body, i)))
		if err != nil {
			continue
		}
		r := changed.Check(Trusted{})
		if len(r.Findings()) == 0 && slices.Equal(r.Steps, honest.Steps) && changed.m.GetSubject() == f.m.GetSubject() {
			t.Errorf("octet %d of %d changed, and all is as before", i, len(f.raw))
		}
	}
}
