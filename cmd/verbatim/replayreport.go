package main

import (
	"io"

	"github.com/spf13/pflag"

	auditv1 "verbatim/proto/verbatim/audit/v1"
)

// reportFlags say how a replay's verdict is told.
type reportFlags struct {
	asJSON bool
	junit  string // a file
}

func (f *reportFlags) bind(fs *pflag.FlagSet) {
	fs.BoolVar(&f.asJSON, "json", false, "print one JSON object")
	fs.StringVar(&f.junit, "junit", "", "`file` for a report as JUnit XML, written anew")
}

// replayReport gathers what a replay shows while it runs.
type replayReport struct {
	*auditv1.AuditReplayResponse
	windows []*replayedWindow
}

// add takes one event of the first replay into account.
func (r *replayReport) add(e *auditv1.ReplayedExchange) error {
	if e.GetReplay() > 1 || e.GetWarmed() {
		return nil
	}
	first := e.GetRequestOffset() / windowOffsets * windowOffsets
	if n := len(r.windows); n == 0 || r.windows[n-1].first != first {
		r.windows = append(r.windows, &replayedWindow{first: first})
	}
	r.windows[len(r.windows)-1].add(e)
	return nil
}

// write prints the verdict, and writes the file if one is wanted.
func (f *reportFlags) write(w io.Writer, r *replayReport) error {
	if f.junit != "" {
		if err := writeJUnit(f.junit, r); err != nil {
			return err
		}
	}
	return printVerdict(w, r.AuditReplayResponse, f.asJSON)
}
