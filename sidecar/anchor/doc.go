// Package anchor publishes a log's checkpoint roots on a Soroban contract, and
// checks a log against what was published.
//
// It guarantees:
//   - A transaction is kept, durably, before it is sent. After a stop at any
//     moment it is first found out what became of it.
//   - At most one transaction of a log is under way.
//   - What the contract has of a checkpoint is what this log has, or Status says
//     loudly that it is not; nothing is sent then.
//   - A receipt, once there, is never changed or removed.
//   - A transaction never costs more than the ceiling that was set.
//   - Check says ANCHORED only of what the contract was asked about.
//
// It does not hold up recording: checkpoints wait as long as the network is away,
// and the newest root then covers all before it. It doesn't make the contract's
// server honest: whoever checks a log chooses a server that they trust.
package anchor
