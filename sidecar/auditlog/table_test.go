package auditlog

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// TestNoFlippedBitOfATableEndsTheProcess flips each bit of the last part of a table,
// which RocksDB reads when it opens it: the log opens or is damaged.
func TestNoFlippedBitOfATableEndsTheProcess(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "log")
	if _, err := Create(dir, Origin{}); err != nil {
		t.Fatal(err)
	}
	tables, err := filepath.Glob(filepath.Join(dir, dbDir, "*.sst"))
	if err != nil || len(tables) == 0 {
		t.Fatalf("tables %v: %v", tables, err)
	}
	table, err := os.ReadFile(tables[0])
	if err != nil {
		t.Fatal(err)
	}
	// The end of its properties, the index of such blocks, and where the footer says
	// that it is.
	const from, to = footerBytes + 45, footerBytes - 10
	refused := 0
	for at := len(table) - from; at < len(table)-to; at++ {
		for bit := range 8 {
			table[at] ^= 1 << bit
			if err := os.WriteFile(tables[0], table, 0o600); err != nil {
				t.Fatal(err)
			}
			v, err := OpenReadOnly(dir)
			if err == nil {
				v.Close()
			} else if !errors.Is(err, ErrDamaged) {
				t.Errorf("byte %d, bit %d: %v", at, bit, err)
			}
			if checkTables(dir) != nil {
				refused++
			}
			table[at] ^= 1 << bit
		}
	}
	if refused == 0 {
		t.Error("no flip was refused before RocksDB saw it")
	}
}

// In a copy of a damaged log the bit is taken back, and the log is as it was.
func TestTheBitIsTakenBackInACopy(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "log")
	if _, err := Create(dir, Origin{}); err != nil {
		t.Fatal(err)
	}
	tables, err := filepath.Glob(filepath.Join(dir, dbDir, "*.sst"))
	if err != nil || len(tables) == 0 {
		t.Fatalf("tables %v: %v", tables, err)
	}
	for _, path := range tables {
		at, hashed, err := propertiesHashed(path, make([]byte, tableEndBytes))
		if err != nil || hashed {
			t.Fatalf("%v, %v", hashed, err)
		}
		table, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		table[at] ^= hashIndexBit
		if err := os.WriteFile(path, table, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := OpenRemains(dir); !errors.Is(err, ErrDamaged) {
		t.Fatalf("open: %v", err)
	}
	r, err := RebuildRemains(dir, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if tip, err := r.Tip(); err != nil || tip.Offset != 0 {
		t.Errorf("tip %v, %v", tip, err)
	}
	found := 0
	if err := r.Entries(0, func(l Left) bool { found++; return l.Linked }); err != nil || found != 1 {
		t.Errorf("%d entries, %v", found, err)
	}
	if checkTables(dir) == nil {
		t.Error("the log itself was repaired")
	}
}

func TestWhatIsNoTableIsLeftToRocksDB(t *testing.T) {
	for name, content := range map[string]string{
		"empty": "", "short": "x", "no magic": string(make([]byte, 100)),
		"bad handle": string(append(make([]byte, 100), "\x04\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"+string(make([]byte, 33))+"\xf7\xcf\xf4\x85\xb7\x41\xe2\x88"...)),
	} {
		path := filepath.Join(t.TempDir(), "000001.sst")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, _, err := propertiesHashed(path, make([]byte, tableEndBytes)); !errors.Is(err, errOtherTable) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzBlockValue(f *testing.F) {
	f.Add([]byte("\x00\x12\x02rocksdb.properties\x01\x02"))
	f.Fuzz(func(t *testing.T, block []byte) {
		value, err := blockValue(block, tableProperties)
		if err == nil && len(value) > len(block) {
			t.Fatal("a value is longer than its block")
		}
	})
}
