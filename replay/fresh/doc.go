// Package fresh brings a pipeline into the state from which a replay begins: by a
// command, or by a URL that is asked to do it.
//
// It guarantees that the step has ended well and that the pipeline accepts
// connections when Run returns without an error. It does not know whether the state
// is the right one: that is the step's business. What a command leaves running goes
// on when the replay has ended, and is not stopped.
package fresh
