package main

import "testing"

// The part of the command line that a command begins is that command.
func TestCommandsHaveTheirNames(t *testing.T) {
	for name := range commands {
		part := newRoot(name).Commands()
		if len(part) != 1 || part[0].Name() != name {
			t.Errorf("%s begins %v", name, part)
		}
	}
}
