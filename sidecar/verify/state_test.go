package verify

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"verbatim/sidecar/chain"
)

func someState() State {
	a, b := chain.EventHash([]byte("a")), chain.EventHash([]byte("b"))
	return State{LogID: chain.Hash{1}, Point: Point{Offset: 768, Root: chain.Hash{2}, Nodes: [][]byte{a[:], b[:]}}, Vouched: 512}
}

func TestAStateComesBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.json")
	if s, err := ReadState(path); s != nil || err != nil {
		t.Errorf("no file: %v, %v", s, err)
	}
	want := someState()
	for range 2 { // the second replaces the first
		if err := want.WriteSynced(path); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := ReadState(path); err != nil || !reflect.DeepEqual(*got, want) {
		t.Errorf("%+v, %v", got, err)
	}
	if names, err := os.ReadDir(filepath.Dir(path)); err != nil || len(names) != 1 {
		t.Errorf("%v, %v", names, err)
	}
}

func TestAStateThatCantBeWrittenLeavesTheOldOne(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.json")
	if err := os.MkdirAll(filepath.Join(path, "full"), 0o700); err != nil { // which no file can replace
		t.Fatal(err)
	}
	if err := someState().WriteSynced(path); err == nil {
		t.Error("no error")
	}
	names, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(names) != 1 {
		t.Errorf("%v, %v", names, err)
	}
}

// FuzzState: what is read can be written, and is the same then.
func FuzzState(f *testing.F) {
	path := filepath.Join(f.TempDir(), "state.json")
	if err := someState().WriteSynced(path); err != nil {
		f.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte(`{"version":2}`))
	f.Add([]byte(`{}`))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := parseState(b)
		if err != nil {
			return
		}
		path := filepath.Join(dir, "again")
		if err := s.WriteSynced(path); err != nil {
			t.Fatal(err)
		}
		if again, err := ReadState(path); err != nil || !reflect.DeepEqual(again, s) {
			t.Errorf("%+v came back as %+v, %v", s, again, err)
		}
	})
}

func TestWhatIsNoStateIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.json")
	if err := someState().WriteSynced(path); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	newer := strings.Replace(string(whole), `"version":1`, `"version":2,"more":1`, 1)
	if err := os.WriteFile(path, []byte(newer), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadState(path); !errors.Is(err, ErrState) || !strings.Contains(err.Error(), "its version is 2, this verbatim reads 1: a newer one wrote it") {
		t.Errorf("a newer version: %v", err)
	}
	for _, text := range []string{"", "{}", `{"version":1,"log_id":"00","offset":0,"root":"","tree":[]}`, `{"version":2}`, `{"version":1,"more":1}`, string(whole) + "{}", strings.Replace(string(whole), ":512", ":769", 1)} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadState(path); !errors.Is(err, ErrState) {
			t.Errorf("%q: %v", text, err)
		}
	}
}
