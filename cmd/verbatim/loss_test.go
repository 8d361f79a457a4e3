package main

import (
	"context"
	"strconv"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
)

// lost is "lost N WITNESS REASON DIR": it puts a Gap of N exchanges into a log, at the
// clock that record ends with, and since then.
func lost(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 4 {
		ts.Fatalf("usage: lost N WITNESS REASON DIR")
	}
	n, err := strconv.ParseUint(args[0], 10, 64)
	ts.Check(err)
	at := recordedAt.Add(time.Minute)
	log, err := auditlog.Open(ts.MkAbs(args[3]), auditlog.Options{Now: func() time.Time { return at }})
	ts.Check(err)
	draft, err := auditlog.NewDraft(&logv1.Event{Kind: &logv1.Event_Gap{Gap: &logv1.Gap{
		SinceMs: uint64(recordedAt.UnixMilli()), Exchanges: n, Witness: args[1], Reason: args[2],
	}}})
	ts.Check(err)
	_, err = log.Append(draft).Wait(context.Background())
	ts.Check(err)
	ts.Check(log.Close(context.Background()))
}
