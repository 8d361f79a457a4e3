// Package golden holds a log of format version 1 as it was written, for ever: every
// later verbatim has to open it, find nothing wrong with it, say the same of it, and
// go on in it.
//
// testdata/log-v1 is the log, testdata/answers.txt what a reader is told of it.
//
//	go test ./tests/golden -update
//
// makes both anew. That is right until version 1 is in use anywhere; from then on the
// log is never made anew, and a change that needs it is a change of the format.
package golden
