package fsck_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/fsck"
	"verbatim/tests/forge"
	"verbatim/tests/fulldisk"
)

// unlisted is a copy of a log that only a copy of it can be saved from: RocksDB's list
// of its files is lost.
func unlisted(t *testing.T, honest string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "log")
	must(t, forge.Copy(honest, dir))
	must(t, os.Remove(filepath.Join(dir, "db", "CURRENT")))
	return dir
}

func TestTheRepairedLogsParentIsMade(t *testing.T) {
	honest, to := newLog(t, 40, 0), filepath.Join(t.TempDir(), "a", "b", "repaired")
	if _, err := fsck.RepairSynced(t.Context(), unlisted(t, honest), to, nil); err != nil {
		t.Fatal(err)
	}
	same(t, answers(t, to), answers(t, honest))
}

// TestAPlaceThatTakesNoCopySaysNothingOfTheLog: the log can be saved elsewhere.
func TestAPlaceThatTakesNoCopySaysNothingOfTheLog(t *testing.T) {
	honest := newLog(t, 40, 0)
	t.Run("no directory", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "file")
		must(t, os.WriteFile(file, nil, 0o600))
		notThere(t, unlisted(t, honest), filepath.Join(file, "repaired"))
	})
	t.Run("full", func(t *testing.T) {
		fulldisk.Alone(t, func() {
			dir, to := unlisted(t, honest), filepath.Join(t.TempDir(), "repaired")
			refill := fulldisk.Fill(t)
			notThere(t, dir, to)
			refill()
			if left, err := os.ReadDir(filepath.Dir(to)); err != nil || len(left) > 0 {
				t.Errorf("left %v, %v", left, err)
			}
		})
	})
}

func notThere(t *testing.T, dir, to string) {
	t.Helper()
	_, err := fsck.RepairSynced(t.Context(), dir, to, nil)
	if !errors.Is(err, auditlog.ErrNoCopy) || errors.Is(err, fsck.ErrNothingLeft) {
		t.Errorf("repaired: %v", err)
	}
}
