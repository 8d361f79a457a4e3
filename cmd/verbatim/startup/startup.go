// Package startup is what makes a short command start sooner: it puts off the first
// garbage collection, and keeps the C library from making an arena for each thread. Half
// of what such a command does is to initialize the packages of all that is linked in, and
// the first collection, at the runtime's own 4 MB, would fall right into that.
//
// It depends on next to nothing, so that it is initialized before most others.
package startup

import (
	"os"
	"runtime"
	"runtime/debug"
)

const (
	// firstPercent makes the first collection come at 16 MB.
	firstPercent = 400
	laterPercent = 100 // the runtime's default
)

func init() {
	if os.Getenv("GOGC") != "" {
		return // somebody has asked for something else
	}
	debug.SetGCPercent(firstPercent)
	// Once there was a collection all is as usual.
	runtime.AddCleanup(new(*int), func(percent int) { debug.SetGCPercent(percent) }, laterPercent)
}
