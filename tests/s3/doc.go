// Package s3 starts a real S3 server for tests: the Versity S3 Gateway, which keeps
// objects in files. Its program is built from a module of its own, in gateway, so
// that it doesn't choose our versions.
//
// A proxy stands before each server. It passes everything on unchanged, counts, and
// makes what faults a test asks for: before a request arrives, or after it was acted
// on. The server itself is not reachable another way.
//
// It guarantees that a server ends with its test. It does not build the program: the
// Makefile does.
package s3
