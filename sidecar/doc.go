// Package sidecar wires one recording process together: the log, the ext_proc
// server on its Unix socket, the admin port, and how all of it begins and ends.
//
// It is the only package that knows both Envoy's side and the log's. It decides
// nothing about entries or verdicts.
package sidecar
