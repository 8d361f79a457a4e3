package capture

import logv1 "verbatim/proto/verbatim/log/v1"

// whyEnded is what is known of a stream that ended before its answer was whole.
func (x *exchange) whyEnded() (logv1.AbortCause, string) {
	if x.answer.begun {
		return logv1.AbortCause_ABORT_CAUSE_UNKNOWN, "the answer broke off, or the client went away, before its end"
	}
	return logv1.AbortCause_ABORT_CAUSE_UNKNOWN, "the client went away, or the connection to the pipeline was reset, before an answer"
}
