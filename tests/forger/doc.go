// Package forger makes dishonest logs from an honest one and looks which rung of a
// verification catches each: docs/verification.md has the table. What verify says is
// taken from the program itself, its exit code with it.
//
// A forger here owns the disk and knows the format: hashes are computed again
// wherever that can be done. What a forger does not have is the ledger, and, where it
// isn't said otherwise, the keys.
package forger
