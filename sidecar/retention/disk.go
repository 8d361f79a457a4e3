package retention

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"syscall"
)

// blockSize is the unit of st_blocks (stat(2)).
const blockSize = 512

// DiskUsage is how many octets on disk the files of a directory take, hard links
// counted once. What a file has reserved behind its end is left out: RocksDB reserves
// room for 70 MB or so in a WAL, and whether it just did says nothing about a log.
// Files that go meanwhile are no error.
func DiskUsage(dir string) (uint64, error) {
	var octets uint64
	seen := map[uint64]bool{}
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		var info fs.FileInfo
		if err == nil && d.Type().IsRegular() {
			info, err = d.Info()
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || info == nil {
			return err
		}
		stat, ok := info.Sys().(*syscall.Stat_t)
		if !ok {
			return fmt.Errorf("no inode of %s is known", info.Name())
		}
		if !seen[stat.Ino] {
			seen[stat.Ino] = true
			octets += min(uint64(stat.Blocks)*blockSize, wholeBlocks(uint64(stat.Size), uint64(stat.Blksize)))
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("measure %s: %w", dir, err)
	}
	return octets, nil
}

// wholeBlocks is what a file of a size takes in blocks.
func wholeBlocks(size, block uint64) uint64 { return (size + block - 1) / block * block }
