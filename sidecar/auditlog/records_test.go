package auditlog

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// kept reads all records with a prefix.
func kept(t *testing.T, v *View, prefix, from string) []string {
	t.Helper()
	var list []string
	for r, err := range v.Records(t.Context(), []byte(prefix), []byte(from)) {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, fmt.Sprintf("%s=%s", r.Key, r.Value))
	}
	return list
}

func record(key, value string) Record { return Record{[]byte(key), []byte(value)} }

func TestRecordsAreKeptBesideTheChain(t *testing.T) {
	l, _ := openFaulty(t, false, Options{})
	before := l.index.published()
	if err := l.KeepSynced(t.Context(), record("a1", "x"), record("b2", "y"), record("b1", "z"), record("c", "")); err != nil {
		t.Fatal(err)
	}
	if err := l.KeepSynced(t.Context(), record("b2", "new"), Record{Key: []byte("a1")}); err != nil {
		t.Fatal(err)
	}
	if l.index.published() != before {
		t.Error("records changed the chain")
	}
	if err := l.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	v, err := OpenReadOnly(l.Dir())
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	for _, c := range []struct {
		prefix, from string
		want         []string
	}{
		{"", "", []string{"b1=z", "b2=new", "c="}},
		{"b", "", []string{"b1=z", "b2=new"}},
		{"b", "b2", []string{"b2=new"}},
		{"b", "b3", nil},
		{"z", "", nil},
	} {
		if diff := cmp.Diff(c.want, kept(t, v, c.prefix, c.from)); diff != "" {
			t.Errorf("records %q from %q: %s", c.prefix, c.from, diff)
		}
	}
	for key, want := range map[string]string{"b2": "new", "c": ""} {
		if value, err := v.Record([]byte(key)); err != nil || value == nil || string(value) != want {
			t.Errorf("record %s: %q, %v", key, value, err)
		}
	}
	for prefix, want := range map[string]string{"a": "", "b": "b2=new", "b1": "b1=z", "d": ""} {
		last, found, err := v.LastRecord([]byte(prefix))
		if err != nil || found != (want != "") || found && fmt.Sprintf("%s=%s", last.Key, last.Value) != want {
			t.Errorf("last record of %q: %s, %t, %v", prefix, last, found, err)
		}
	}
	if value, err := v.Record([]byte("a1")); err != nil || value != nil {
		t.Errorf("a removed record: %q, %v", value, err)
	}
}

func TestManyRecordsAreReadInChunks(t *testing.T) {
	l, _ := openFaulty(t, false, Options{})
	defer func() { _ = l.Close(context.WithoutCancel(t.Context())) }()
	var want []string
	var records []Record
	for i := range 2*chunkEntries + 1 {
		records = append(records, record(fmt.Sprintf("k%06d", i), "v"))
		want = append(want, fmt.Sprintf("k%06d=v", i))
	}
	if err := l.KeepSynced(t.Context(), records...); err != nil {
		t.Fatal(err)
	}
	v, err := l.View()
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	if diff := cmp.Diff(want, kept(t, v, "k", "")); diff != "" {
		t.Error(diff)
	}
}

// A write of records that fails is said, whether they persisted or not, and can
// be made again when the log is back.
func TestRecordsWhoseWriteFails(t *testing.T) {
	for _, persist := range []bool{false, true} {
		t.Run(fmt.Sprintf("persist=%t", persist), func(t *testing.T) {
			l, fault := openFaulty(t, persist, Options{})
			fault.Store(1)
			if err := l.KeepSynced(t.Context(), record("k", "first")); !errors.Is(err, ErrNotWritable) {
				t.Fatalf("a failed write: %v", err)
			}
			untilWritable(t, l)
			v, err := l.View()
			if err != nil {
				t.Fatal(err)
			}
			got := kept(t, v, "k", "")
			v.Close()
			if there := len(got) == 1; there != persist {
				t.Errorf("after the failure: %v", got)
			}
			if err := l.KeepSynced(t.Context(), record("k", "again")); err != nil {
				t.Fatal(err)
			}
			if err := l.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := l.KeepSynced(t.Context(), record("k", "late")); !errors.Is(err, ErrClosed) {
				t.Errorf("after Close: %v", err)
			}
		})
	}
}
