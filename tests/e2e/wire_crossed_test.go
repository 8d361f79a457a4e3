package e2e

import (
	"net/http"
	"testing"

	"verbatim/filter"
	"verbatim/tests/oddities"
)

// TestWireHTTP2ToHTTP1 sends every odd HTTP/2 request to a pipeline that speaks
// HTTP/1.1: at the replay it gets the same bytes.
func TestWireHTTP2ToHTTP1(t *testing.T) { inPlaces(t, behindRouter, http2ToHTTP1) }

func http2ToHTTP1(t *testing.T, p wirePlace) {
	captured, replayed := startWireServer(t, p.echo), startWireServer(t, p.echo)
	s := newSite(t, p.options(siteOptions{upstream: captured.addr}, "meter"))
	client := openTarget(t, "h2c://"+s.envoy.Addr)
	for _, c := range streamCases() {
		if m, err := sendStream(t, client, c.sent); err != nil || m.Status != http.StatusOK {
			t.Fatalf("%s: status %d, %v", c.name, m.Status, err)
		}
	}
	p.stop(s, len(streamCases()))
	checkReplay(t, s, "http://"+replayed.addr, len(streamCases()))
	checkSameWire(t, p, captured.received(), replayed.received())
}

// TestWireHTTP1ToHTTP2 sends every odd HTTP/1.1 request to a pipeline that speaks
// HTTP/2.
func TestWireHTTP1ToHTTP2(t *testing.T) { inPlaces(t, observing, http1ToHTTP2) }

func http1ToHTTP2(t *testing.T, p wirePlace) {
	captured, replayed := startWireHTTP2Server(t, describeStream), startWireHTTP2Server(t, describeStream)
	s := newSite(t, p.options(siteOptions{upstream: captured.addr, protocol: filter.H2}, "meter"))
	sent := 0
	for _, r := range oddities.Requests() {
		if !r.Passed || r.Name == unclocked {
			continue
		}
		if status, body := askWire(t, s.envoy.Addr, r.Raw); status != http.StatusOK {
			t.Fatalf("%s: status %d, %q", r.Name, status, body)
		}
		sent++
	}
	p.stop(s, sent)
	checkReplay(t, s, "h2c://"+replayed.addr, sent)
	checkSameStreams(t, p, captured.received(), replayed.received())
}
