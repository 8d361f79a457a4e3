// Package capture is the ext_proc server: it records every exchange that Envoy
// hands it, and lets nothing pass that is not recorded.
//
// It guarantees, in profile strict:
//   - A request goes on to the pipeline only after its entry is durable, with
//     the entry's clock and seed in its headers.
//   - An answer goes on to the client only after its entry is durable.
//   - A request that has an entry gets an outcome: Response or Abort.
//   - A turn in the pipeline is given back on every kind of end.
//
// It relies on Envoy's filter being configured as package filter does: bodies
// BUFFERED, headers and trailers SEND. It does not know where the log is kept,
// and it does not judge an answer: a 500 is recorded like a 200.
package capture
