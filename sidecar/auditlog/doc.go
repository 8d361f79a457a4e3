// Package auditlog is the log: one append-only, hash-chained sequence of
// entries in RocksDB (docs/LOG-FORMAT.md).
//
// It guarantees:
//   - A Log is the only writer of its directory. What is on disk is a valid
//     prefix of the chain at every moment.
//   - Pending.Wait returns without error only after the entry was synced.
//   - The order of Append calls is the order of the entries, and wall_clock_ms
//     never goes back along it.
//   - A log whose end was cut off does not open: of what was acknowledged nothing
//     is missed without a word.
//   - After a failed write nothing is acknowledged until the log was closed,
//     opened and read back.
//   - A View sees one consistent state, and no reader ever writes.
//
// It does not know what a request is worth, where it came from or how it is
// replayed; it knows neither Envoy nor any ledger. It does not check the whole
// chain when it opens, only the window that is not sealed: package verify does.
//
// On disk, in the log's directory: FORMAT (a line that names the format), db
// (RocksDB), durable (the newest offset that is), snapshots (hard-link copies for
// other processes), admin (where the serving process can be asked).
package auditlog
