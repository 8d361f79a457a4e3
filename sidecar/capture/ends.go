package capture

import (
	"context"
	"time"

	logv1 "verbatim/proto/verbatim/log/v1"
)

// Stopping tells that streams which end from here on may do so because the
// process ends.
func (s *Server) Stopping() { s.stopping.Store(true) }

// causes says in words what Envoy's counters tell.
var causes = map[logv1.AbortCause]string{
	logv1.AbortCause_ABORT_CAUSE_CLIENT_GONE:    "the client went away",
	logv1.AbortCause_ABORT_CAUSE_PIPELINE_RESET: "the pipeline reset the connection",
	logv1.AbortCause_ABORT_CAUSE_TIMEOUT:        "the pipeline took too long",
}

// whyEnded is why a stream ended before its answer was whole, as far as that is
// certain. The end of a stream says nothing of it: also where Envoy answers in the
// place of a pipeline that broke off in its answer, that answer is not shown here.
// So only Envoy's counters tell.
func (x *exchange) whyEnded() (logv1.AbortCause, string) {
	when := " before an answer"
	if x.answer.begun {
		when = " before the answer was whole"
	}
	ctx := x.stream.Context()
	switch {
	case x.failed:
		return logv1.AbortCause_ABORT_CAUSE_REFUSED, "the sidecar failed at this exchange"
	case !linked(ctx) && x.server.stopping.Load():
		return logv1.AbortCause_ABORT_CAUSE_RESTART, "the recording process was stopped" + when
	case !linked(ctx):
		return logv1.AbortCause_ABORT_CAUSE_UNKNOWN, "the connection from envoy was lost" + when
	}
	if x.server.Ended != nil {
		cause := x.server.Ended(context.WithoutCancel(ctx), x.since)
		if words, known := causes[cause]; known {
			return cause, words + when
		}
	}
	return logv1.AbortCause_ABORT_CAUSE_UNKNOWN, "the client went away, or the pipeline reset the connection or took too long," + when
}

// begins notes when the exchange began to depend on others.
func (x *exchange) begins() { x.since = time.Now() }
