// Package evidence makes and checks files that prove one exchange of a log on
// another machine, without the log and without the network.
//
// It guarantees:
//   - Prove gives a file only after it has checked that file.
//   - Parse takes only what File.Bytes writes, and all that it takes can be checked.
//   - A check says of each piece whether it is proven, only stated, missing or wrong,
//     and its rung is never above the first piece that is missing.
//   - An outcome that is kept back is noticed: the checkpoint lists open requests.
//   - All but the entries' own bytes fits in 4 KiB, also on large logs.
//
// It does not check the links between the entries of the log: that takes the log. A
// file that ends at SEALED agrees with itself, and whoever made it could have made all
// of it; who signed its checkpoint, or the public ledger, tells. A file holds entries
// as they were recorded, credentials included.
package evidence
