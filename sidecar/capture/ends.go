package capture

import logv1 "verbatim/proto/verbatim/log/v1"

// Stopping tells that streams which end from here on may do so because the
// process ends.
func (s *Server) Stopping() { s.stopping.Store(true) }

// whyEnded is why a stream ended before its answer was whole, as far as that is
// certain. It holds for what is seen whole: until an answer's head has gone on,
// Envoy answers in the pipeline's place when that resets the connection or takes
// too long, and the answer comes here. What ends without one, the client has left.
// (Envoy closing the client's connection by itself, when it drains a listener or
// runs out of memory, looks the same.)
func (x *exchange) whyEnded() (logv1.AbortCause, string) {
	switch {
	case x.failed:
		return logv1.AbortCause_ABORT_CAUSE_REFUSED, "the sidecar failed at this exchange"
	case !linked(x.stream.Context()) && x.server.stopping.Load():
		return logv1.AbortCause_ABORT_CAUSE_RESTART, "the recording process was stopped before an answer"
	case !linked(x.stream.Context()):
		return logv1.AbortCause_ABORT_CAUSE_UNKNOWN, "the connection from envoy was lost before an answer"
	case x.request.stream || x.answer.seen != seenWhole:
		// A head that has gone on can't be taken back: a reset of the pipeline ends
		// the exchange without a word, too.
		return logv1.AbortCause_ABORT_CAUSE_UNKNOWN, "the client went away, or the pipeline reset the connection, before the end of the stream"
	case x.owing:
		// Envoy gives up on a sidecar that takes too long.
		return logv1.AbortCause_ABORT_CAUSE_UNKNOWN, "the client went away, or envoy's message_timeout passed, while the sidecar worked"
	case x.answer.begun:
		return logv1.AbortCause_ABORT_CAUSE_CLIENT_GONE, "the client went away before the answer was whole"
	}
	return logv1.AbortCause_ABORT_CAUSE_CLIENT_GONE, "the client went away before an answer"
}
