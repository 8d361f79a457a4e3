// Package bench measures verbatim: ratios taken in one run, on this machine. It
// has no code of its own but benchmarks.
package bench
