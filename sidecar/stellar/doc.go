// Package stellar is a client of the audit_root contract on a Stellar network:
// what it has stored, the transactions that change it, and the keys that sign.
//
// It guarantees:
//   - Each question to the server ends after a bounded time, with an answer of
//     bounded size. What the server says is checked: it is of what was asked, it
//     has the right shape, its numbers are in range. What isn't so is an error.
//   - Only what this package built itself is signed. The server is asked what a
//     call costs and touches, never what to authorize.
//   - A prepared transaction costs at most Payment.MaxFee, inclusion and resources
//     together, and can't get into a ledger that closes after its ValidUntil.
//   - Seeds are in no error, and in no way a signer can be printed or encoded.
//
// It does not make the server honest: whether an entry is on the ledger is the
// server's word. It retries nothing except in Await, and it keeps nothing: who
// must know after a crash what was sent keeps a Transaction before Send.
package stellar
