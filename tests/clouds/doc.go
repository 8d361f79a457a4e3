// Package clouds runs the program against what stands for Google's and for Microsoft's
// object storage: fsouza/fake-gcs-server, and Azurite, Microsoft's own emulator. Both
// keep the rules that an archive rests on: an object is created only where there is
// none, and a list knows what was written.
//
// It is a module of its own, so that those servers don't choose our versions, and takes
// the program as the Makefile has built it. It says nothing of the clouds themselves:
// neither of their credentials nor of their limits.
package clouds
