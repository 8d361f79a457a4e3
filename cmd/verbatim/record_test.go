package main

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"sync/atomic"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/chain"
	"verbatim/sidecar/output"
	"verbatim/tests/forge"
	"verbatim/tests/soroban"
)

// recordedAt is the clock of the genesis; each later entry is a second younger.
var recordedAt = time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)

// The answers of the pipeline that record tells of and pipeline plays.
var (
	settled = output.Message{
		Status: 200,
		Headers: []*logv1.Header{
			header("content-length", "28"), header("content-type", "application/json"), header("set-cookie", "session=next-t0psecret"),
		},
		Body: []byte(`{"meter_id":"m1","kwh":1.50}`),
	}
	unknown = output.Message{Status: 404, Headers: []*logv1.Header{
		header("content-length", "8"), header("content-type", "text/plain"),
	}, Body: []byte("unknown\n")}
)

func header(name, value string) *logv1.Header {
	return &logv1.Header{Name: []byte(name), Value: []byte(value)}
}

// record is "record DIR [CONTRACT WRITER]": it makes a log of two exchanges and an aborted one, and
// puts the hashes of its first and its newest entry into GENESIS and ROOT. Its id
// and its clocks are always the same, and so are all of its hashes.
func record(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 && len(args) != 3 {
		ts.Fatalf("usage: record DIR [CONTRACT WRITER]")
	}
	dir := ts.MkAbs(args[0])
	var origin auditlog.Origin
	if len(args) == 3 {
		origin.Anchor = &logv1.Anchor{Network: soroban.Passphrase, Contract: args[1], Writer: args[2]}
	}
	_, err := auditlog.Create(dir, origin)
	ts.Check(err)
	ts.Check(forge.Rewrite(dir, func(_ uint64, ev *logv1.Event) error {
		ev.WallClockMs = uint64(recordedAt.UnixMilli())
		ev.GetGenesis().LogId = bytes.Repeat([]byte{1}, chain.Size)
		return nil
	}))
	var seconds atomic.Int64
	log, err := auditlog.Open(dir, auditlog.Options{Now: func() time.Time {
		return recordedAt.Add(time.Duration(seconds.Load()) * time.Second)
	}})
	ts.Check(err)
	for _, ev := range recordedEvents(ts) {
		seconds.Add(1)
		draft, err := auditlog.NewDraft(ev)
		ts.Check(err)
		_, err = log.Append(draft).Wait(context.Background())
		ts.Check(err)
	}
	seconds.Add(1)
	ts.Check(log.Close(context.Background()))
	v, err := auditlog.OpenReadOnly(dir)
	ts.Check(err)
	defer v.Close()
	genesis, err := v.Entry(0)
	ts.Check(err)
	ts.Setenv("GENESIS", genesis.Hash().String())
	ts.Setenv("ROOT", v.Tip().Hash.String())
}

// recordedEvents are the entries from offset 1 on.
func recordedEvents(ts *testscript.TestScript) []*logv1.Event {
	reading := []byte(`{"meter_id":"m1","kwh":1.50}`)
	return []*logv1.Event{
		{Kind: &logv1.Event_Start{Start: &logv1.Start{
			BootId: "boot-1", VerbatimVersion: "v1", EnvoyVersion: "1.40.0",
			Pipeline: &logv1.Pipeline{Name: "meters", ImageDigest: "sha256:aa", Protocol: "http/1.1"},
			Ordering: logv1.Ordering_ORDERING_METER, Profile: logv1.Profile_PROFILE_STRICT,
			IgnorePolicy: output.DefaultIgnorePolicy().Policy(),
		}}},
		request([]string{"m1"}, "POST", "/v1/readings", reading,
			header("authorization", "Bearer t0psecret"), header("cookie", "session=t0psecret"), header("content-length", "28")),
		response(ts, 2, settled),
		request([]string{"m2"}, "GET", "/v1/meters/m2", nil),
		response(ts, 4, unknown),
		request(nil, "GET", "/v1/report", nil),
		{Kind: &logv1.Event_Abort{Abort: &logv1.Abort{
			RequestOffset: 6, Delivered: logv1.Delivered_DELIVERED_MAYBE, Reason: "the client went away",
		}}},
	}
}

func request(meters []string, method, path string, body []byte, more ...*logv1.Header) *logv1.Event {
	list := append([]*logv1.Header{
		header(":method", method), header(":path", path), header(":authority", "meters.example"), header(":scheme", "http"),
	}, more...)
	list = append(list, header("x-verbatim-clock-ms", "1772359201000"), header("x-verbatim-seed", "42"))
	return &logv1.Event{Kind: &logv1.Event_Request{Request: &logv1.Request{
		MeterIds: meters, Headers: list, HasBody: body != nil, Body: body,
		Protocol: "HTTP/1.1", Source: &logv1.Source{Address: "127.0.0.1:40000"},
	}}}
}

func response(ts *testscript.TestScript, to uint64, m output.Message) *logv1.Event {
	c, err := output.Canonical(m, output.DefaultIgnorePolicy())
	ts.Check(err)
	return &logv1.Event{Kind: &logv1.Event_Response{Response: &logv1.Response{
		RequestOffset: to, Output: c.Output, UpstreamAddress: "127.0.0.1:8080", AttemptCount: 1,
	}}}
}

// stuck is "stuck NAME FILE [BODY]": it starts a pipeline, as pipeline does, that answers
// readings, with the body if one is given. At any other request it makes the file and never answers.
func stuck(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 || len(args) > 3 {
		ts.Fatalf("usage: stuck NAME FILE [BODY]")
	}
	file, m := ts.MkAbs(args[1]), settled
	if len(args) == 3 {
		m.Body = []byte(args[2])
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			answer(w, m)
			return
		}
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			panic(err) // the script waits in vain
		}
		<-r.Context().Done()
	}))
	ts.Defer(server.Close)
	ts.Setenv(args[0], server.URL)
}

func answer(w http.ResponseWriter, m output.Message) {
	w.Header()["Date"] = nil
	for _, h := range m.Headers {
		w.Header().Add(string(h.GetName()), string(h.GetValue()))
	}
	w.WriteHeader(m.Status)
	_, _ = w.Write(m.Body) // a client that is gone sees it itself
}

// pipeline is "pipeline NAME [BODY]": it starts the pipeline that record tells
// of and puts its URL and its address into the environment, as NAME and
// NAME_ADDRESS. With a body it answers readings so.
func pipeline(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 || len(args) > 2 {
		ts.Fatalf("usage: pipeline NAME [BODY]")
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m := unknown
		if r.Method == http.MethodPost {
			m = settled
			if len(args) == 2 {
				m.Body = []byte(args[1])
			}
		}
		answer(w, m)
	}))
	ts.Defer(server.Close)
	ts.Setenv(args[0], server.URL)
	ts.Setenv(args[0]+"_ADDRESS", server.Listener.Addr().String())
}
