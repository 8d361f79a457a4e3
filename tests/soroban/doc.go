// Package soroban starts a Stellar node for tests and the demo: the real Soroban
// host behind Stellar's JSON-RPC, written in Rust beside this package (README.md).
//
// It guarantees that a node ends with its Stop, with its test, or with the process
// that started it. It does not build the node: the Makefile does.
package soroban
