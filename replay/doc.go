// Package replay drives recorded requests back into a pipeline, one at a time,
// in offset order, under the recorded clock and seed, and compares the outputs
// with the recorded ones.
//
// It guarantees that every link of the log is checked before anything is sent,
// that it never writes to the log, and that a verdict says no more than was
// compared: requests that may have been in the pipeline without an answer make
// a later difference one that can't be judged.
//
// What is compared is the answers. Effects outside them, such as the calls that
// the pipeline itself makes, are not; nor does a replay bring a pipeline to the
// state in which the recording began: that is for whoever starts the target.
package replay
