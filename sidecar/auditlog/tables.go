package auditlog

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// BadTable is a file of the store that is not there as it has to be.
type BadTable struct {
	// File is relative to the log's directory.
	File, Family string
	// First and Last are the first and the last key's offsets, where the keys are
	// offsets, of a family with entries; else 0.
	First, Last uint64
	Text        string
}

// holds says whether a family has offsets for keys.
func holdsEntries(family string) bool {
	return family == cfEntries || family == cfPacked || family == cfLinks || family == cfKept
}

// BadTables are the tables that are missing, or have another size than they were
// written with.
func (r *Remains) BadTables() []BadTable {
	var bad []BadTable
	for _, t := range r.s.db.GetLiveFilesMetaData() {
		name := filepath.Join(dbDir, strings.TrimPrefix(t.Name, "/"))
		b := BadTable{File: name, Family: t.ColumnFamilyName}
		if holdsEntries(b.Family) {
			b.First, _ = parseOffsetKey(t.SmallestKey)
			b.Last, _ = parseOffsetKey(t.LargestKey)
		}
		switch info, err := os.Stat(filepath.Join(r.dir, name)); {
		case err != nil:
			b.Text = "it is missing"
		case info.Size() != t.Size:
			b.Text = fmt.Sprintf("it has %d octets, and was written with %d", info.Size(), t.Size)
		default:
			continue
		}
		bad = append(bad, b)
	}
	return bad
}
