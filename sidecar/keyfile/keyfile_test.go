package keyfile_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"verbatim/sidecar/keyfile"
	"verbatim/tests/fulldisk"
)

func TestAFileIsMadeForItsOwnerAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	defer unix.Umask(unix.Umask(0))
	if err := keyfile.CreateSynced(path, []byte("secret")); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	err = keyfile.CreateSynced(path, []byte("another"))
	if !errors.Is(err, fs.ErrExist) || !strings.Contains(err.Error(), path) {
		t.Errorf("in place of another: %v", err)
	}
	got, err := keyfile.Read(path, 100)
	if err != nil || string(got) != "secret" {
		t.Errorf("%q, %v", got, err)
	}
	if got, err := keyfile.Read(path, 3); err != nil || string(got) != "sec" {
		t.Errorf("no more than the limit: %q, %v", got, err)
	}
	if err := keyfile.CreateSynced(filepath.Join(path, "below"), nil); err == nil {
		t.Error("made a file below a file")
	}
}

// A file on a full disk is not left half written.
func TestAFileThatCanNotBeWrittenIsNotLeft(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	refill := fulldisk.Fill(t)
	err := keyfile.CreateSynced(path, []byte("secret"))
	refill()
	if !errors.Is(err, unix.EFBIG) || strings.Contains(err.Error(), "secret") {
		t.Errorf("%v", err)
	}
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it is there: %v", err)
	}
}

func TestWhatIsNoPrivateFileIsRefused(t *testing.T) {
	dir := t.TempDir()
	fifo := filepath.Join(dir, "fifo")
	if err := unix.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	open := filepath.Join(dir, "open")
	if err := os.WriteFile(open, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(open, 0o604); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		fifo: "regular file", dir: "regular file", open: "(mode 0604): chmod 600", filepath.Join(dir, "none"): "no such file",
	} {
		if _, err := keyfile.Read(path, 100); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", path, err)
		}
	}
}
