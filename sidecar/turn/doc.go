// Package turn decides which exchanges may be in the pipeline at the same
// time. The order in which events enter is part of what makes a replay give
// the same outputs, so it is fixed here and nowhere else.
//
// A [Queue] guarantees, for the ordering that it was made with:
//
//   - first come, first served: a ticket never runs before an earlier one that
//     it excludes, even while it excludes nothing that runs now;
//   - a ticket waits for all its keys in one queue and gets them at once, so no
//     two tickets can wait for each other;
//   - a ticket that gives up leaves nothing behind: who waited only for it runs.
//
// It does not guarantee that the holder of a turn ever releases it, and it
// knows nothing of what the keys mean: capture gives it meter ids.
package turn
