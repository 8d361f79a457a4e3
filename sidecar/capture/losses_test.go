package capture_test

import (
	"path/filepath"
	"testing"
	"time"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/capture"
)

// stuck is an observer that holds up the log's writer behind each batch.
type stuck chan struct{}

func (s stuck) Durable(map[auditlog.Kind]int, time.Duration) { <-s }
func (stuck) Failed(error)                                   {}

// TestWhatIsBeingToldIsUntold: until its Gap is durable, and again where it can't be
// written.
func TestWhatIsBeingToldIsUntold(t *testing.T) {
	dir, up := filepath.Join(t.TempDir(), "log"), make(stuck)
	if _, err := auditlog.Create(dir, auditlog.Origin{}); err != nil {
		t.Fatal(err)
	}
	log, err := auditlog.Open(dir, auditlog.Options{Observer: up})
	if err != nil {
		t.Fatal(err)
	}
	draft, err := auditlog.NewDraft(&logv1.Event{Kind: &logv1.Event_Start{Start: &logv1.Start{}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := log.Append(draft).Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	var l capture.Losses
	l.Add("envoy", "r")
	told := make(chan error)
	for range 2 {
		go func() { told <- l.Tell(t.Context(), log) }()
	}
	// One of them found nothing to tell: the other has it, and waits.
	if err := <-told; err != nil {
		t.Error(err)
	}
	l.Add("envoy", "r")
	l.Add("sidecar", "s")
	if u := l.Untold(); len(u) != 2 || u[0].Exchanges != 2 || u[1].Exchanges != 1 {
		t.Errorf("while it is told, untold are %v, want 2 and 1", u)
	}
	close(up)
	if err := <-told; err != nil {
		t.Error(err)
	}
	if u := l.Untold(); len(u) != 2 || u[0].Exchanges != 1 || u[1].Exchanges != 1 {
		t.Errorf("untold are %v, want 1 and 1", u)
	}
	if err := log.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if l.Tell(t.Context(), log) == nil {
		t.Error("told to a closed log")
	}
	if u := l.Untold(); len(u) != 2 || u[0].Exchanges != 1 || u[1].Exchanges != 1 {
		t.Errorf("untold are %v, want 1 and 1 still", u)
	}
}
