package archive_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"gocloud.dev/blob"
	_ "gocloud.dev/blob/fileblob"
	_ "gocloud.dev/blob/s3blob"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/archive"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/chain"
	"verbatim/sidecar/verify"
	"verbatim/tests/s3"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// place is where a test's archive is.
type place struct {
	url string
	// path is the file of an object: what somebody who owns the storage can change.
	path func(key string) string
	s3   *s3.Server // nil: it is a folder
}

// folder is a place on disk.
func folder(t *testing.T) place {
	t.Helper()
	dir := t.TempDir()
	return place{url: "file://" + dir + "?no_tmp_dir=1", path: func(key string) string { return filepath.Join(dir, key) }}
}

// bucket is a place on a real S3 server.
func bucket(t *testing.T) place {
	t.Helper()
	return place{s3: s3.Start(t)}.under("logs/one/")
}

// under is another place on the same server.
func (p place) under(prefix string) place {
	return place{
		// Nothing is left for second attempts: a request that fails is a failure.
		url:  p.s3.URL(prefix) + "&rate_limiter_capacity=1",
		path: func(key string) string { return p.s3.Path(prefix + key) }, s3: p.s3,
	}
}

// fresh is a place of the same kind that holds nothing.
func (p place) fresh(t *testing.T, number int) place {
	t.Helper()
	if p.s3 == nil {
		return folder(t)
	}
	return p.under(fmt.Sprintf("fresh/%d/", number))
}

// plain is the storage without the archive's rules.
func (p place) plain(t *testing.T) *blob.Bucket {
	t.Helper()
	b, err := blob.OpenBucket(t.Context(), p.url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// everywhere runs a test in a folder and on an S3 server.
func everywhere(t *testing.T, test func(t *testing.T, p place)) {
	t.Helper()
	t.Run("folder", func(t *testing.T) { test(t, folder(t)) })
	t.Run("s3", func(t *testing.T) { test(t, bucket(t)) })
}

func (p place) open(t *testing.T) *archive.Bucket {
	t.Helper()
	return p.limited(t, nil)
}

func (p place) limited(t *testing.T, l archive.Limiter) *archive.Bucket {
	t.Helper()
	b, err := archive.Open(t.Context(), p.url, l)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// newLog makes a log that seals every ten entries.
func newLog(t *testing.T) *auditlog.Log {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "log")
	if _, err := auditlog.Create(dir, auditlog.Origin{Interval: 10}); err != nil {
		t.Fatal(err)
	}
	l, err := auditlog.Open(dir, auditlog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return l
}

func put(t *testing.T, l *auditlog.Log, ev *logv1.Event) uint64 {
	t.Helper()
	d, err := auditlog.NewDraft(ev)
	if err != nil {
		t.Fatal(err)
	}
	p, err := l.Append(d).Wait(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return p.Offset
}

// record adds exchanges to a log.
func record(t *testing.T, l *auditlog.Log, exchanges int) {
	t.Helper()
	for i := range exchanges {
		o := put(t, l, &logv1.Event{Kind: &logv1.Event_Request{Request: &logv1.Request{
			MeterIds: []string{fmt.Sprintf("m%d", i%3)}, Body: fmt.Appendf(nil, `{"kwh":%d,"from":"meter"}`, i),
		}}})
		put(t, l, &logv1.Event{Kind: &logv1.Event_Response{Response: &logv1.Response{RequestOffset: o, Output: fmt.Appendf(nil, "out %d", i)}}})
	}
}

// keepRecords adds records beside the chain.
func keepRecords(t *testing.T, l *auditlog.Log, prefix string, from, to int) {
	t.Helper()
	for i := from; i < to; i++ {
		if err := l.KeepSynced(t.Context(), auditlog.Record{Key: fmt.Appendf(nil, "%s%04d", prefix, i), Value: fmt.Appendf(nil, "value %d", i)}); err != nil {
			t.Fatal(err)
		}
	}
}

var prefixes = [][]byte{[]byte("checkpoint/note/"), []byte("anchor/receipt/")}

// options archive a log that is being written.
func options(b *archive.Bucket, l *auditlog.Log) archive.Options {
	return archive.Options{Bucket: b, Prefixes: prefixes, Keep: l, View: func() (*auditlog.View, func(), error) {
		v, err := l.View()
		if err != nil {
			return nil, nil, err
		}
		return v, v.Close, nil
	}}
}

// archiver has small objects: some windows a segment, three segments a manifest.
func archiver(o archive.Options) *archive.Archiver {
	a := archive.New(o)
	a.SetSizes(1000, 60, 3)
	return a
}

func archived(t *testing.T, o archive.Options) archive.Standing {
	t.Helper()
	s, err := archiver(o).Once(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// restored makes a log of an archive and opens it.
func restored(t *testing.T, b *archive.Bucket) *auditlog.View {
	t.Helper()
	dir := t.TempDir()
	if _, err := b.Restore(t.Context(), dir, archive.RestoreOptions{}); err != nil {
		t.Fatal(err)
	}
	v, err := auditlog.OpenReadOnly(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(v.Close)
	return v
}

// refused is the error of a restoration that has to fail; nothing is left of it.
func refused(t *testing.T, b *archive.Bucket, o archive.RestoreOptions) error {
	t.Helper()
	dir := t.TempDir()
	_, err := b.Restore(t.Context(), dir, o)
	if err == nil {
		t.Fatal("restored")
	}
	if names, _ := os.ReadDir(dir); len(names) > 0 {
		t.Errorf("%v are left", names)
	}
	return err
}

// sameLog compares what was restored with the log, up to the newest archived entry.
func sameLog(t *testing.T, l *auditlog.Log, got *auditlog.View, end archive.End) {
	t.Helper()
	want, err := l.View()
	if err != nil {
		t.Fatal(err)
	}
	defer want.Close()
	if got.ID() != want.ID() || got.Tip() != (auditlog.Tip{Offset: end.Offset, Hash: end.Root}) {
		t.Errorf("log %s, tip %v; want %s, %v", got.ID(), got.Tip(), want.ID(), end)
	}
	if diff := cmp.Diff(entries(t, want, end.Offset), entries(t, got, end.Offset)); diff != "" {
		t.Errorf("entries:\n%s", diff)
	}
	for _, prefix := range prefixes {
		if diff := cmp.Diff(records(t, want, prefix), records(t, got, prefix)); diff != "" {
			t.Errorf("records:\n%s", diff)
		}
	}
	r, err := verify.Verify(t.Context(), got, verify.Options{Trusted: map[uint64]chain.Hash{end.Offset: end.Root}})
	if err != nil || !r.OK() || r.Entries != end.Offset+1-got.First() || got.First() > 0 && !r.Pruned.Complete {
		t.Errorf("verified: %+v, %v", r, err)
	}
}

// entries are the entry hashes, which fix everything else of the entries, those first
// that stay of a pruned part.
func entries(t *testing.T, v *auditlog.View, to uint64) []chain.Hash {
	t.Helper()
	var list []chain.Hash
	for e, err := range v.Kept(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, e.Hash())
	}
	for e, err := range v.Entries(t.Context(), v.First(), to) {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, e.Hash())
	}
	return list
}

func records(t *testing.T, v *auditlog.View, prefix []byte) []auditlog.Record {
	t.Helper()
	var list []auditlog.Record
	for r, err := range v.Records(t.Context(), prefix, nil) {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, r)
	}
	return list
}

// objects lists the names of what a folder or a server holds of an archive.
func (p place) objects(t *testing.T) []string {
	t.Helper()
	var list []string
	for _, kind := range []string{"manifests", "records", "remains", "segments"} {
		names, err := os.ReadDir(p.path(kind))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		for _, n := range names {
			list = append(list, kind+"/"+n.Name())
		}
	}
	slices.Sort(list)
	return list
}

// recordNoise adds exchanges that can't be compressed.
func recordNoise(t *testing.T, l *auditlog.Log, exchanges, bytes int) {
	t.Helper()
	noise := rand.NewChaCha8([32]byte{1})
	for range exchanges {
		body := make([]byte, bytes)
		_, _ = noise.Read(body) // it never fails
		o := put(t, l, &logv1.Event{Kind: &logv1.Event_Request{Request: &logv1.Request{Body: body}}})
		put(t, l, &logv1.Event{Kind: &logv1.Event_Response{Response: &logv1.Response{RequestOffset: o, Output: []byte("out")}}})
	}
}
