// Package doctor reads the configuration of an Envoy and names what in it would
// lose traffic, alter it, let it around the capture, or hold it up.
//
// It guarantees that each finding says where in the configuration it is and what
// to do. It finds what a configuration shows, no more: what comes later from a
// management server, what another machine is configured to do, and what a filter
// of a type that this program does not know does to a request, it can't see; the
// last it says. It changes nothing.
package doctor
