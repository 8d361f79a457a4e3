// Package checkpoint signs a log's checkpoints as C2SP checkpoints
// (c2sp.org/tlog-checkpoint, signed notes with Ed25519), which the tools of
// transparency logs read, and checks a log against its signed notes.
//
// It guarantees:
//   - A note is made only of a checkpoint that is durable in the log, and only
//     while the notes that are kept agree with the log: never two roots for one
//     size.
//   - A note, once kept, is never changed or removed.
//   - A checkpoint is signed by keys that the chain says are in force there.
//   - A note binds the whole tree, and the checkpoint's own entry with it.
//   - Check fails closed: a note that is missing where one has to be is a finding.
//   - No key but the public half of one is ever printed, logged or encoded.
//
// It does not tell whether whoever holds the keys signed another history as well:
// only a checkpoint that was kept elsewhere does, or the public anchor. A log that
// is restored from an older copy and goes on is such a history.
package checkpoint
