// Package damage flips bits in the files of a log and looks whether a reader is
// ever misled: each flip is found, or all that can be read is the same; nothing
// crashes.
package damage
