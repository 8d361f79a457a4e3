// Package e2e tests verbatim as it is used: the real Envoy, the example
// pipeline, the command as a process. It has no code of its own but tests.
package e2e
