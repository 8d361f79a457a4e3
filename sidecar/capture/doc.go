// Package capture is the ext_proc server: it records every exchange that Envoy
// hands it, and lets nothing pass that is not recorded.
//
// It guarantees, in profile strict:
//   - A request goes on to the pipeline only after its entry is durable, with
//     the entry's clock and seed in its headers.
//   - An answer goes on to the client only after its entry is durable.
//   - A request that has an entry gets an outcome: Response or Abort.
//   - A turn in the pipeline, and the room that a body takes, are given back on
//     every kind of end.
//   - What is too large, doesn't fit or doesn't come is refused, and never waits
//     for room.
//   - A cause that an Abort names is certain; else it is UNKNOWN.
//
// It relies on Envoy's filter being configured as package filter does: bodies
// BUFFERED, headers and trailers SEND. It does not know where the log is kept,
// and it does not judge an answer: a 500 is recorded like a 200.
package capture
