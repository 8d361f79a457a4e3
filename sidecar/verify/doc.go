// Package verify checks a log against itself and against roots that its reader
// trusts: every link between two entries, every footer, every outcome, and what
// is stored beside the entries so that they are found: the records of checkpoints
// and the indexes.
//
// A report without findings says that the entries it counts form one unbroken
// chain, that each checkpoint seals what it claims to, that readers find what is
// there and nothing else, and that each trusted root is the hash of its entry. It
// does not say that the log was never
// rewritten as a whole: only a root kept elsewhere can. It does not say that
// the pipeline would answer the same again: a replay does.
//
// It reads a View and writes nothing.
package verify
