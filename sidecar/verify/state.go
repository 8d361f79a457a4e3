package verify

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"verbatim/sidecar/chain"
)

// State is how far a log was verified, as a reader keeps it between two
// verifications. It is the reader's own: who can change it can make the next
// verification begin later, or begin with another log.
type State struct {
	LogID chain.Hash
	Point Point
	// Vouched is at most the Point's offset: that of the checkpoint from which on
	// signatures and receipts are still to be compared; 0: all.
	Vouched uint64
}

// ErrState says that what was read is no state that a verification can go on from.
var ErrState = errors.New("no state of a verification")

const stateVersion = 1

// stateFile is a State as it is written.
type stateFile struct {
	Version int      `json:"version"`
	LogID   string   `json:"log_id"`
	Offset  uint64   `json:"offset"`
	Root    string   `json:"root"`
	Tree    []string `json:"tree"`
	Vouched uint64   `json:"vouched"`
}

// ReadState reads what WriteSynced wrote; nil if there is no such file. Error:
// ErrState.
func ReadState(path string) (*State, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil //nolint:nilnil // the first verification
	}
	if err != nil {
		return nil, fmt.Errorf("read state: %w", err)
	}
	s, err := parseState(b)
	if err != nil {
		return nil, fmt.Errorf("read state %s: %w: %w; remove it to verify from the beginning", path, ErrState, err)
	}
	return s, nil
}

func parseState(b []byte) (*State, error) {
	var of struct { // first and alone, as another version's may have other fields
		Version int `json:"version"`
	}
	if err := json.Unmarshal(b, &of); err != nil {
		return nil, err
	}
	if of.Version > stateVersion {
		return nil, fmt.Errorf("its version is %d, this verbatim reads %d: a newer one wrote it", of.Version, stateVersion)
	}
	var f stateFile
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&f); err != nil {
		return nil, err
	}
	if f.Version != stateVersion {
		return nil, fmt.Errorf("its version is %d, this verbatim reads %d", f.Version, stateVersion)
	}
	if f.Vouched > f.Offset {
		return nil, fmt.Errorf("it is vouched for through %d, and it reached %d", f.Vouched, f.Offset)
	}
	s := &State{Point: Point{Offset: f.Offset}, Vouched: f.Vouched}
	var err error
	if s.LogID, err = chain.ParseHash(f.LogID); err != nil {
		return nil, err
	}
	if s.Point.Root, err = chain.ParseHash(f.Root); err != nil {
		return nil, err
	}
	for _, text := range f.Tree {
		node, err := chain.ParseHash(text)
		if err != nil {
			return nil, err
		}
		s.Point.Nodes = append(s.Point.Nodes, node[:])
	}
	if _, err := chain.RestoreTree(f.Offset, s.Point.Nodes); err != nil {
		return nil, err
	}
	return s, nil
}

// WriteSynced replaces the file, and returns after it is durable: at every moment
// the file is the old one or the new one.
func (s State) WriteSynced(path string) error {
	f := stateFile{Version: stateVersion, LogID: s.LogID.String(), Offset: s.Point.Offset, Root: s.Point.Root.String(), Tree: []string{}, Vouched: s.Vouched}
	for _, n := range s.Point.Nodes {
		f.Tree = append(f.Tree, hex.EncodeToString(n))
	}
	b, err := json.Marshal(f)
	if err != nil {
		return fmt.Errorf("write state: %w", err)
	}
	if err := replaceSynced(path, append(b, '\n')); err != nil {
		return fmt.Errorf("write state: %w", err)
	}
	return nil
}

func replaceSynced(path string, b []byte) error {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
