package retention

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

func TestDiskUsageLeavesOutWhatIsOnlyReserved(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "wal")
	if err := os.WriteFile(path, make([]byte, 100_000), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(path, filepath.Join(dir, "snapshot")); err != nil {
		t.Fatal(err)
	}
	before, err := DiskUsage(dir)
	if err != nil || before < 100_000 || before > 200_000 {
		t.Fatalf("%d octets, %v", before, err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Fallocate(int(f.Fd()), unix.FALLOC_FL_KEEP_SIZE, 0, 64<<20); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	var stat unix.Stat_t
	if err := unix.Stat(path, &stat); err != nil || stat.Blocks*blockSize < 64<<20 {
		t.Fatalf("%d blocks are reserved, %v", stat.Blocks, err)
	}
	if after, err := DiskUsage(dir); err != nil || after != before {
		t.Errorf("%d octets, and %d after room was reserved, %v", before, after, err)
	}
}
