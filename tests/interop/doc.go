// Package interop runs gRPC's own interoperability tests through Envoy: what passes
// through Envoy alone has to pass with the capture, and what was recorded has to
// replay. Client and server are gRPC's; left out are the cases that need cloud
// credentials.
package interop
