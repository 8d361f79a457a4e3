package sidecar

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/checkpoint"
	"verbatim/sidecar/metrics"
)

// signingService is a service whose log is signed with one key.
func signingService(t *testing.T, dir string, key *checkpoint.Key) (*service, *bytes.Buffer) {
	t.Helper()
	log, err := auditlog.Open(dir, auditlog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	said := &bytes.Buffer{}
	s := &service{log: log, metrics: metrics.New(prometheus.NewRegistry()), logger: slog.New(slog.NewTextHandler(said, nil)), toSign: make(chan struct{}, 1)}
	s.newSigning([]*checkpoint.Key{key})
	return s, said
}

// A last checkpoint that could not be signed is signed by the next run, before it
// records anything.
func TestTheNextRunSignsWhatIsLeft(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "log")
	if _, err := auditlog.Create(dir, auditlog.Origin{}); err != nil {
		t.Fatal(err)
	}
	key, err := checkpoint.CreateKeySynced(filepath.Join(t.TempDir(), "key"), "a")
	if err != nil {
		t.Fatal(err)
	}
	s, said := signingService(t, dir, key)
	s.signing.begin(t.Context())
	draft, err := auditlog.NewDraft(&logv1.Event{Kind: &logv1.Event_Start{Start: &logv1.Start{CheckpointKeys: s.signing.keys()}}})
	if err != nil {
		t.Fatal(err)
	}
	placed, err := s.log.Append(draft).Wait(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.signing.started(placed.Offset)
	if err := s.log.Close(t.Context()); err != nil { // seals it: too early
		t.Fatal(err)
	}
	s.sealSigned(t.Context())
	if !strings.Contains(said.String(), "the next run signs it") {
		t.Errorf("said: %s", said)
	}
	wantNotes(t, dir, 0)

	s, said = signingService(t, dir, key)
	s.signing.begin(t.Context())
	s.sealSigned(t.Context())
	if err := s.log.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantNotes(t, dir, 1)
	if said.Len() > 0 {
		t.Errorf("said: %s", said)
	}
}

func wantNotes(t *testing.T, dir string, want int) {
	t.Helper()
	v, err := auditlog.OpenReadOnly(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	list, err := v.Checkpoints(t.Context(), 0)
	if err != nil || len(list) != 1 {
		t.Fatalf("%d checkpoints, %v", len(list), err)
	}
	if _, err := checkpoint.Kept(v, 0); (err == nil) != (want == 1) {
		t.Errorf("want %d notes: %v", want, err)
	}
}

func TestKeyFilesOfOneKey(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	if _, err := checkpoint.CreateKeySynced(a, "name"); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(a)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(b, content, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readCheckpointKeys([]string{a, b}); err == nil || !strings.Contains(err.Error(), a+" and "+b+" hold the same key name+") {
		t.Errorf("%v", err)
	}
	if keys, err := readCheckpointKeys(nil); err != nil || len(keys) != 0 {
		t.Errorf("%v, %v", keys, err)
	}
}
