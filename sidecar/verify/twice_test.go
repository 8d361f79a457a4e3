package verify_test

import (
	"context"
	"path/filepath"
	"testing"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/verify"
	"verbatim/tests/forge"
)

// packedLog is a closed log of sealed windows, in blocks.
func packedLog(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "log")
	if _, err := auditlog.Create(dir, auditlog.Origin{Interval: 100}); err != nil {
		t.Fatal(err)
	}
	l, err := auditlog.Open(dir, auditlog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var last *auditlog.Pending
	for range 250 {
		d, err := auditlog.NewDraft(&logv1.Event{Kind: &logv1.Event_Gap{Gap: &logv1.Gap{Exchanges: 1, Reason: "reason"}}})
		if err != nil {
			t.Fatal(err)
		}
		last = l.Append(d)
	}
	if _, err := last.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	return dir
}

// Who walks the entries and who looks one up must be told the same: a log in which they
// are not is never verified.
func TestEntriesThatAreStoredTwice(t *testing.T) {
	change := func(raw []byte) { raw[len(raw)-9] ^= 1 }
	for name, c := range map[string]struct {
		forge  func(dir string) error
		code   verify.Code
		offset uint64
	}{
		"alone, too":             {func(dir string) error { return forge.Shadow(dir, 120, change) }, verify.CodeTwice, 120},
		"the genesis":            {func(dir string) error { return forge.Shadow(dir, 0, func(raw []byte) { raw[9] ^= 1 }) }, verify.CodeTwice, 0},
		"in a second block":      {func(dir string) error { return forge.ShadowBlock(dir, 120, change) }, verify.CodeTwice, 120},
		"in blocks, it is said":  {func(dir string) error { return forge.Put(dir, "state", []byte("packed"), []byte{7: 200}) }, verify.CodeTwice, 200},
		"the blocks are denied":  {func(dir string) error { return forge.Delete(dir, "state", []byte("packed")) }, verify.CodeTwice, 0},
		"behind what is in them": {func(dir string) error { return forge.Put(dir, "state", []byte("packed"), []byte{6: 9, 7: 0}) }, verify.CodeTwice, 253},
	} {
		t.Run(name, func(t *testing.T) {
			dir := packedLog(t)
			if err := c.forge(dir); err != nil {
				t.Fatal(err)
			}
			v, err := auditlog.OpenReadOnly(dir)
			if err != nil {
				t.Fatal(err)
			}
			defer v.Close()
			r, err := verify.Verify(t.Context(), v, verify.Options{})
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range r.Findings {
				if f.Code == c.code && f.Offset == c.offset {
					return
				}
			}
			t.Errorf("findings %v, want %s at %d", r.Findings, c.code, c.offset)
		})
	}
	t.Run("nowhere", func(t *testing.T) {
		v, err := auditlog.OpenReadOnly(packedLog(t))
		if err != nil {
			t.Fatal(err)
		}
		defer v.Close()
		if r, err := verify.Verify(t.Context(), v, verify.Options{}); err != nil || !r.OK() {
			t.Errorf("%v, %v", r, err)
		}
	})
}

// A reader that begins within a block sees, too, that another one reaches into it.
func TestReadingFromTheMiddleSeesBlocksThatOverlap(t *testing.T) {
	dir := packedLog(t)
	if err := forge.ShadowBlock(dir, 120, func(raw []byte) { raw[len(raw)-9] ^= 1 }); err != nil {
		t.Fatal(err)
	}
	v, err := auditlog.OpenReadOnly(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	for _, from := range []uint64{0, 100, 119, 120, 150} {
		var failed error
		for _, err := range v.Entries(t.Context(), from, 199) {
			failed = err
		}
		if failed == nil {
			t.Errorf("from %d: no error", from)
		}
	}
}

// What is kept for a cut that was not made, as after a stop in the middle of it, is of
// no log that was not cut.
func TestWhatIsKeptWithoutACut(t *testing.T) {
	dir := packedLog(t)
	values, err := forge.Values(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, offset := range []byte{0, 100} {
		if err := forge.Put(dir, "kept", []byte{7: offset}, values[offset]); err != nil {
			t.Fatal(err)
		}
	}
	v, err := auditlog.OpenReadOnly(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	for e, err := range v.Kept(t.Context()) {
		t.Errorf("kept: %d, %v", e.Offset, err)
	}
}
