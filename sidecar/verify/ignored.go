package verify

import (
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/output"
)

// ignored checks that what an ignore policy took out of a body fits into its output.
// That it is what stood there only the chain can tell: no output hash covers it.
func ignored(r *Report, e *auditlog.Entry) {
	ev, err := e.Event()
	if err != nil {
		r.add(e.Offset, CodeUndecodable, "%v", err)
		return
	}
	if _, err := output.Restore(ev.GetResponse()); err != nil {
		r.add(e.Offset, CodeIgnored, "%v", err)
	}
}
