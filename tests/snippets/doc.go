// Package snippets holds what docs/pipelines.md shows: how a pipeline reads its time
// and its randomness from the two headers, in Go, Python, Java and Node. What stands
// between the marks in each file is what the page shows.
package snippets
