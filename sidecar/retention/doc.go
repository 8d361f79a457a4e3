// Package retention prunes a log: it finds out what is old enough to go, holds
// back what must stay, writes down what goes, and only then lets the log cut it
// off (docs/LOG-FORMAT.md, "Retention").
//
// It guarantees:
//   - What goes is a whole prefix of sealed windows, whose chain was checked once
//     more, and every entry of it is older than the keep time. Where the log is
//     anchored, age is by the close times of ledgers alone. Elsewhere it is by a
//     clock that counts only while a process runs: whatever is done to the
//     system's clock, it never counts more time than went by.
//   - Nothing that a hold protects goes once the hold is confirmed, nor an open
//     request, nor what is not in the archive where there is one.
//   - The log says what goes, durably and anchored (sealed, where there is no
//     anchor), before anything does. A stop at any step is gone on from.
//
// It does not hold up recording: it waits for as long as an anchor, an archive or
// a hold takes. It does not make a copy of what goes; package archive does.
package retention
