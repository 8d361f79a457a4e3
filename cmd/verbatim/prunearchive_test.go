package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/archive"
	"verbatim/sidecar/auditlog"
)

// TestPruningWaitsForAnArchiveThatBeginsLater: an archive that was begun on a pruned
// copy of a log does not have what that log still has.
func TestPruningWaitsForAnArchiveThatBeginsLater(t *testing.T) {
	folder := t.TempDir()
	v := archivedLog(t, "file://"+folder)
	p := pruning{archive: "file://" + folder}
	if a, err := p.askArchive(t.Context(), v); err != nil || a == nil {
		t.Fatalf("asked the archive of the whole log: %v, %v", a, err)
	}
	path := filepath.Join(folder, "manifests", fmt.Sprintf("%020d", 0))
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	hash := strings.Repeat("ab", 32)
	later := strings.NewReplacer("manifest 1\n", "manifest 2\n",
		"\nsegment 0 ", fmt.Sprintf("\nremains 1 %s 2 %s 3\nsegment 1 ", hash, hash)).Replace(string(whole))
	if err := os.WriteFile(path, []byte(later), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = p.askArchive(t.Context(), v)
	if err == nil || !strings.Contains(err.Error(), "begins at offset 1, and this log at 0") {
		t.Errorf("asked an archive that begins later: %v", err)
	}
}

// archivedLog is a log with some sealed entries, which are archived.
func archivedLog(t *testing.T, url string) *auditlog.View {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "log")
	if _, err := auditlog.Create(dir, auditlog.Origin{Interval: 2}); err != nil {
		t.Fatal(err)
	}
	log, err := auditlog.Open(dir, auditlog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		d, err := auditlog.NewDraft(&logv1.Event{Kind: &logv1.Event_Start{Start: &logv1.Start{BootId: "a"}}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := log.Append(d).Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if err := log.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	v, err := auditlog.OpenReadOnly(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(v.Close)
	b, err := archive.Open(t.Context(), url, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	view := func() (*auditlog.View, func(), error) { return v, func() {}, nil }
	if _, err := archive.New(archive.Options{Bucket: b, View: view}).Once(t.Context()); err != nil {
		t.Fatal(err)
	}
	return v
}
