package e2e

import (
	"bytes"
	"fmt"
	"net/http"
	"testing"

	"verbatim/filter"
	"verbatim/tests/mesh"
	"verbatim/tests/oddities"
)

// TestWireVia sends every odd request over both protocols, and replays them through
// an Envoy without the capture: the pipeline gets the bytes that it got then.
func TestWireVia(t *testing.T) {
	for _, protocol := range []filter.Protocol{filter.H1, filter.H2} {
		t.Run(protocol.String(), func(t *testing.T) {
			var captured, replayed viaPipeline
			if protocol == filter.H1 {
				captured, replayed = viaHTTP1(t), viaHTTP1(t)
			} else {
				captured, replayed = viaHTTP2(t), viaHTTP2(t)
			}
			s := newSite(t, siteOptions{upstream: captured.addr, protocol: protocol, serve: []string{"--ordering", "global"}})
			sent := sendAllOdd(t, s, protocol)
			s.stop()
			plain := mesh.StartTestEnvoy(t, mesh.EnvoyOptions{Bootstrap: filter.Bootstrap{Pipeline: replayed.addr, PipelineProtocol: protocol}})
			var v verdict
			s.runJSON(0, &v, "replay", "--log", s.log, "--target", "http://"+replayed.addr, "--via", "http://"+plain.Addr)
			if v.Result != "VERIFIED" || v.Compared != uint64(sent) || sent < 100 {
				t.Errorf("%d answers to compare, verdict %+v", sent, v)
			}
			a, b := captured.got(), replayed.got()
			if len(a) != sent || len(b) != sent {
				t.Fatalf("the pipeline got %d requests when captured and %d at the replay, want %d", len(a), len(b), sent)
			}
			for i := range a {
				if !bytes.Equal(a[i], b[i]) {
					t.Errorf("request %d:\n%.1000q when captured,\n%.1000q at the replay", i, a[i], b[i])
				}
			}
		})
	}
}

// viaPipeline is a pipeline and all that it got.
type viaPipeline struct {
	addr string
	got  func() [][]byte
}

func viaHTTP1(t *testing.T) viaPipeline {
	// Which octets came together is not the same: nothing holds a body on its way.
	s := startWireServer(t, func(m wireMessage) wireAnswer {
		m.raw = m.whole()
		return echoWire(m)
	})
	return viaPipeline{s.addr, func() (list [][]byte) {
		for _, m := range s.received() {
			list = append(list, m.whole())
		}
		return list
	}}
}

func viaHTTP2(t *testing.T) viaPipeline {
	s := startWireHTTP2Server(t, describeStream)
	return viaPipeline{s.addr, func() (list [][]byte) {
		for _, m := range s.received() {
			list = append(list, fmt.Appendf(nil, "%q %q %q %s", m.Headers, m.Body, m.Trailers, m.End))
		}
		return list
	}}
}

// sendAllOdd sends what Envoy passes on, and says how many requests that were.
func sendAllOdd(t *testing.T, s *site, pipeline filter.Protocol) (sent int) {
	t.Helper()
	for _, r := range oddities.Requests() {
		if !r.Passed || r.Name == unclocked {
			continue
		}
		if status, body := askWire(t, s.envoy.Addr, r.Raw); status != http.StatusOK {
			t.Fatalf("%s: status %d, %.200q", r.Name, status, body)
		}
		sent++
	}
	client := openTarget(t, "h2c://"+s.envoy.Addr)
	for _, c := range streamCases() {
		if pipeline == filter.H2 && c.name == "cookies, which Envoy joins" {
			continue // their place in the list can't be given again, see package target
		}
		if m, err := sendStream(t, client, c.sent); err != nil || m.Status != http.StatusOK {
			t.Fatalf("%s: status %d, %v", c.name, m.Status, err)
		}
		sent++
	}
	return sent
}
