package checkpoint

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/chain"
)

// Checkpoint is what a note's text says of a log.
type Checkpoint struct {
	LogID chain.Hash
	// Offset is where the checkpoint's entry stands, and how many entries are in
	// the tree: those before it.
	Offset uint64
	// MerkleRoot is the tree's (RFC 6962, leaf data is the entry hash).
	MerkleRoot chain.Hash
	// ID is the checkpoint's number, 0, 1, 2, …
	ID uint64
	// EntryHash is that of the checkpoint's own entry: the chain root there, which
	// is what an anchor publishes.
	EntryHash chain.Hash
}

// Of is what a note has to say of a log's checkpoint.
func Of(logID chain.Hash, at auditlog.CheckpointAt) Checkpoint {
	root, _ := chain.FromBytes(at.Checkpoint.GetMerkleRoot()) // the zero root of what is none, which no tree has
	return Checkpoint{LogID: logID, Offset: at.Offset, MerkleRoot: root, ID: at.Checkpoint.GetCheckpointId(), EntryHash: at.Root}
}

// Words of a note's text.
const (
	originPrefix = "verbatim/"
	entryWord    = "checkpoint"
)

// Origin is the first line of a log's notes.
func Origin(logID chain.Hash) string { return originPrefix + logID.String() }

// Size is how many entries the tree has.
func (c Checkpoint) Size() uint64 { return c.Offset }

// Text is the note's text, without signatures: origin, size, root, and an
// extension line for the checkpoint's own entry, "checkpoint ID OFFSET HASH".
func (c Checkpoint) Text() string {
	return fmt.Sprintf("%s\n%d\n%s\n%s %d %d %s\n", Origin(c.LogID), c.Size(), base64.StdEncoding.EncodeToString(c.MerkleRoot[:]),
		entryWord, c.ID, c.Offset, c.EntryHash)
}

// parseText reads what Text writes, and nothing else.
func parseText(text string) (Checkpoint, error) {
	lines := strings.Split(text, "\n")
	if len(lines) != 5 {
		return Checkpoint{}, fmt.Errorf("its text has %d lines, not 4", strings.Count(text, "\n"))
	}
	var c Checkpoint
	var err error
	id, ours := strings.CutPrefix(lines[0], originPrefix)
	if c.LogID, err = chain.ParseHash(id); err != nil || !ours {
		return c, fmt.Errorf("its origin %q is no log of verbatim", lines[0])
	}
	if _, err := strconv.ParseUint(lines[1], 10, 64); err != nil {
		return c, fmt.Errorf("its size %q is no number", lines[1])
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || len(root) != chain.Size {
		return c, fmt.Errorf("its root %q is no SHA-256 in base64", lines[2])
	}
	c.MerkleRoot = chain.Hash(root)
	if err := c.parseEntry(lines[3]); err != nil {
		return c, err
	}
	if c.Text() != text {
		return c, fmt.Errorf("its text is not written as a checkpoint's is, or its size %s is not the offset %d", lines[1], c.Offset)
	}
	return c, nil
}

func (c *Checkpoint) parseEntry(line string) error {
	words := strings.Split(line, " ")
	if len(words) != 4 || words[0] != entryWord {
		return fmt.Errorf("its line %q is not of the form %q", line, entryWord+" ID OFFSET HASH")
	}
	var badID, badOffset, badHash error
	c.ID, badID = strconv.ParseUint(words[1], 10, 64)
	c.Offset, badOffset = strconv.ParseUint(words[2], 10, 64)
	c.EntryHash, badHash = chain.ParseHash(words[3])
	if badID != nil || badOffset != nil || badHash != nil {
		return fmt.Errorf("its line %q is not of the form %q", line, entryWord+" ID OFFSET HASH")
	}
	return nil
}
