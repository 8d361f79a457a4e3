package auditlog

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestALogOfAnotherUser wants a log that one may not read not taken for
// something else than a log.
func TestALogOfAnotherUser(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, formatFile), []byte(formatPrefix+"1\n"), 0); err != nil {
		t.Fatal(err)
	}
	refused := make(chan error)
	go func() {
		// Root may read everything. The thread asks as another user from here
		// on, and ends with this goroutine, because it is not unlocked.
		runtime.LockOSThread()
		if os.Geteuid() == 0 {
			if err := unix.Setfsuid(65534); err != nil {
				refused <- err
				return
			}
		}
		refused <- checkDir(dir)
	}()
	err := <-refused
	if err == nil || !strings.HasSuffix(err.Error(), ": permission denied; run this as the user whose serve writes the log") {
		t.Errorf("checkDir = %v, want what to do", err)
	}
	if errors.Is(err, ErrNotALog) || !errors.Is(err, fs.ErrPermission) {
		t.Errorf("checkDir = %v, want an error of permission alone", err)
	}
}
