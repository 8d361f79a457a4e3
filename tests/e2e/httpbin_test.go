package e2e

import (
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/mccutchen/go-httpbin/v2/httpbin"

	"verbatim/filter"
	"verbatim/tests/mesh"
)

// startBin starts a go-httpbin, which has no state.
func startBin(t *testing.T, protocol filter.Protocol) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{
		Handler:   httpbin.New(httpbin.WithMaxBodySize(4 << 20)),
		Protocols: new(http.Protocols), ReadHeaderTimeout: time.Minute,
		ErrorLog: log.New(io.Discard, "", 0),
	}
	server.Protocols.SetHTTP1(protocol == filter.H1)
	server.Protocols.SetUnencryptedHTTP2(protocol == filter.H2)
	served := make(chan error)
	go func() { served <- server.Serve(listener) }() // ends with Close
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return listener.Addr().String()
}

// binResets counts the cases that Envoy answers itself. Over HTTP/2 net/http resets a stream whose path has an invalid
// escape, and Envoy resets one that brings a 204 with a length.
var binResets = map[filter.Protocol]uint64{filter.H1: 0, filter.H2: 2}

// alwaysMoving is how many of the moving cases are random enough to be another each time.
const alwaysMoving = 6

// TestHTTPBin sends go-httpbin, a server that was not written here, requests of every kind, through Envoy with and
// without the capture: the same status, headers and octets come back. What it answers the same each time is then
// replayed into a fresh one: VERIFIED.
func TestHTTPBin(t *testing.T) {
	for _, client := range []filter.Protocol{filter.H1, filter.H2} {
		for _, pipeline := range []filter.Protocol{filter.H1, filter.H2} {
			t.Run(client.String()+" to "+pipeline.String(), func(t *testing.T) {
				var steady, moving []binCase
				for _, c := range binCases() {
					if c.moves == "" {
						steady = append(steady, c)
					} else {
						moving = append(moving, c)
					}
				}
				scheme := map[filter.Protocol]string{filter.H1: "http://", filter.H2: "h2c://"}[pipeline]
				s := compareBin(t, client, pipeline, steady)
				var v verdict
				s.runJSON(0, &v, "replay", "--log", s.log, "--target", scheme+startBin(t, pipeline))
				if v.Result != "VERIFIED" || v.LocalReplies != binResets[pipeline] || v.Compared+v.LocalReplies != uint64(len(steady)) {
					t.Errorf("%d answers to compare, verdict %+v", len(steady), v)
				}
				// These show that the comparison would have noticed.
				s = compareBin(t, client, pipeline, moving)
				s.runJSON(1, &v, "replay", "--log", s.log, "--target", scheme+startBin(t, pipeline), "--all")
				if v.Result != "DIVERGENCE" || v.Compared != uint64(len(moving)) || v.Differences < alwaysMoving {
					t.Errorf("answers that move, replayed: %+v", v)
				}
			})
		}
	}
}

// compareBin records cases, and sends them to a plain Envoy with the clock and the seed that were recorded: go-httpbin
// shows its client the headers that it got.
func compareBin(t *testing.T, client, pipeline filter.Protocol, cases []binCase) *site {
	t.Helper()
	s := newSite(t, siteOptions{upstream: startBin(t, pipeline), protocol: pipeline, serve: []string{"--ordering", "global"}})
	captured := newBinClient(t, client, s.envoy.Addr)
	var got []binAnswer
	for _, c := range cases {
		got = append(got, captured.send(c))
	}
	s.stop()
	if r := s.verify(0, s.log); r.Requests != uint64(len(cases)) || r.Responses != r.Requests || r.Open != 0 || r.Gaps != 0 {
		t.Fatalf("%d requests sent, recorded %+v", len(cases), r)
	}
	envoy := mesh.StartTestEnvoy(t, mesh.EnvoyOptions{Bootstrap: filter.Bootstrap{Pipeline: startBin(t, pipeline), PipelineProtocol: pipeline}})
	plain := newBinClient(t, client, envoy.Addr)
	for i, x := range readExchanges(t, s.log) {
		c := cases[i]
		want := plain.send(c, clockHeader+": "+x.header(clockHeader), seedHeader+": "+x.header(seedHeader))
		if d := cmp.Diff(want.without(c.moves), got[i].without(c.moves)); d != "" {
			t.Errorf("%v: the client sees the capture (-without +with):\n%.2000s", c, d)
		}
	}
	return s
}
