package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// gone checks that no file below a directory has anything of what was pruned: the
// bodies that were said do not compress, so each stands in a file as it is. That they
// do is seen in one that was not pruned.
func (s *said) gone(dir string) error {
	var all []byte
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		all = append(all, content...)
		return err
	})
	if err != nil {
		return err
	}
	there := false
	for offset, octets := range s.octets {
		found := bytes.Contains(all, octets)
		if found && offset < s.pruned {
			return fmt.Errorf("request %d was pruned, and its body is still in a file", offset)
		}
		there = there || found
	}
	if !there {
		return fmt.Errorf("no body is in a file: this check sees nothing")
	}
	return nil
}
