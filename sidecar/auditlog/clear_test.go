package auditlog_test

import (
	"bytes"
	"crypto/rand"
	"os"
	"path/filepath"
	"testing"
	"time"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
)

// What a process that was killed had not sealed is in a file of its own when the next
// one has read it back. It is gone after a pruning like all else.
func TestClearingFreesWhatStoodOutsideOfBlocks(t *testing.T) {
	const interval = 50
	dir := newLog(t, interval)
	l := open(t, dir, auditlog.Options{})
	body := make([]byte, 1<<10)
	rand.Read(body)
	put(t, l, &logv1.Event{Kind: &logv1.Event_Request{Request: &logv1.Request{Body: body}}})
	killed := filepath.Join(t.TempDir(), "log")
	if err := os.CopyFS(killed, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	closeLog(t, l)

	l = open(t, killed, auditlog.Options{})
	defer closeLog(t, l)
	if !inFiles(t, killed, body) {
		t.Fatal("the body is in no file: this test sees nothing")
	}
	grow(t, l, 2*interval)
	at, _ := prune(t, l, 0)
	grow(t, l, interval)
	awaitPacked(t, l, at)
	if err := l.CutSynced(t.Context(), at); err != nil {
		t.Fatal(err)
	}
	if err := l.ClearCut(t.Context()); err != nil {
		t.Fatal(err)
	}
	if inFiles(t, killed, body) {
		t.Error("what was pruned is still in a file")
	}
}

func inFiles(t *testing.T, dir string, octets []byte) bool {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "db", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(content, octets) {
			return true
		}
	}
	return false
}

// awaitPacked waits until the window of an offset is stored.
func awaitPacked(t *testing.T, l *auditlog.Log, offset uint64) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		v := view(t, l)
		_, stored, err := v.Indexed()
		v.Close()
		if err != nil {
			t.Fatal(err)
		}
		if stored > offset {
			return
		}
		select {
		case <-tick.C:
		case <-t.Context().Done():
			t.Fatal("the window is not stored")
		}
	}
}
