// Package contracts holds the contract audit_root as it goes to the network: its WebAssembly module, the names and errors of
// its interface, and the interface's description as the module itself carries it.
//
// The module is assembled from audit_root.wat by the program in assemble, to the same bytes on every machine. This package
// does not speak to the network and does not encode calls; package stellar does.
package contracts

import (
	"crypto/sha256"
	_ "embed" // for Wasm
)

// Wasm is the contract's module, as it is uploaded. It is not to be changed.
//
//go:embed audit_root.wasm
var Wasm []byte

// Hash is the SHA-256 of Wasm, by which the network knows uploaded code.
var Hash = sha256.Sum256(Wasm)

// The contract's functions.
const (
	FunctionOpen    = "open"
	FunctionCommit  = "commit"
	FunctionLatest  = "latest"
	FunctionGet     = "get"
	FunctionPropose = "propose"
	FunctionAccept  = "accept"
)

// The first topics of the contract's events. The second topic is always the log's id.
const (
	EventOpened    = "opened"
	EventCommitted = "committed"
	EventProposed  = "proposed"
	EventAccepted  = "accepted"
)

// The cases of DataKey, which is the key of everything that the contract stores.
const (
	KeyLog  = "Log"  // DataKey::Log(log_id) has a Log
	KeyRoot = "Root" // DataKey::Root(log_id, checkpoint_id) has a Root
)

// Lifetimes, in ledgers. What a call writes, and the contract itself, is extended to ExtendTo when less than ExtendBelow is
// left.
const (
	ExtendBelow = 2_073_600 // 120 days of ledgers that close every 5 seconds
	ExtendTo    = 2_332_800 // 135 days
)
