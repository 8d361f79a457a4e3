// Package frozen runs services that take the time from the system, in Python, Node
// and Java, behind a real Envoy under a frozen clock, and replays what was recorded.
//
// Where Node.js or a JDK is missing its test is left out; leftout.sh says so.
package frozen
