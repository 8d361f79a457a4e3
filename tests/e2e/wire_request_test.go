package e2e

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/tests/oddities"
)

// echoWire answers a request with its own octets, so that a replay which sends
// others diverges.
func echoWire(m wireMessage) wireAnswer {
	body := m.raw
	if strings.HasPrefix(m.head, "HEAD ") {
		body = nil
	}
	return wireAnswer{raw: fmt.Appendf(nil, "HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s", len(m.raw), body)}
}

// unclocked is the odd request that Envoy would pass on, and the sidecar does
// not: see TestWireTrailersWithoutBody.
const unclocked = "a trailer and no octet"

// TestWireRequests sends every odd request. The pipeline gets at a replay what
// it got behind Envoy, byte for byte, and that is what the client sent but for
// what Envoy changes. Nothing that Envoy or the sidecar refuses is recorded, but
// for an upgrade, which is closed as never let through.
func TestWireRequests(t *testing.T) {
	captured := startWireServer(t, echoWire)
	s := newSite(t, siteOptions{upstream: captured.addr, serve: []string{"--ordering", "global"}})
	var passed []oddities.Request
	refused := map[string]net.Conn{} // read last: Envoy takes a second to close some
	for _, r := range oddities.Requests() {
		if !r.Passed || r.Name == unclocked {
			refused[r.Name] = openWire(t, s.envoy.Addr, r.Raw)
			continue
		}
		if status, body := askWire(t, s.envoy.Addr, r.Raw); status != http.StatusOK {
			t.Fatalf("%s: status %d, %.200q", r.Name, status, body)
		}
		passed = append(passed, r)
	}
	for name, c := range refused {
		if status, _ := answerOf(t, c, http.MethodGet); status != 0 && status < 400 {
			t.Errorf("%s: status %d", name, status)
		}
	}
	s.stop()
	got, upgrades := captured.received(), 0
	recorded := slices.DeleteFunc(readExchanges(t, s.log), func(x *recordedExchange) bool {
		is := x.abort.GetDelivered() == logv1.Delivered_DELIVERED_NO && strings.Contains(x.abort.GetReason(), "an upgrade to websocket")
		if is {
			upgrades++
		}
		return is
	})
	if upgrades != 1 {
		t.Errorf("%d refused upgrades are recorded, want 1", upgrades)
	}
	if len(got) != len(passed) || len(recorded) != len(passed) || len(passed) < 100 {
		t.Fatalf("the pipeline got %d requests, the log has %d, want %d of each", len(got), len(recorded), len(passed))
	}
	for i, r := range passed {
		checkSent(t, r, got[i])
		checkRecorded(t, r.Name, recorded[i], got[i])
	}
	replayed := startWireServer(t, echoWire)
	checkReplay(t, s, "http://"+replayed.addr, len(passed))
	checkSameWire(t, got, replayed.received())
}

// checkSent compares what the pipeline got with what the client sent.
func checkSent(t *testing.T, r oddities.Request, got wireMessage) {
	t.Helper()
	sent, err := (&wireReader{br: bufio.NewReader(strings.NewReader(lowerHead(string(r.Raw))))}).request()
	if err != nil {
		t.Fatalf("%s: %v", r.Name, err)
	}
	want := append(fieldsOf(sent), "x-forwarded-proto: http")
	target := sent.target()
	if c, ok := changedByEnvoy[r.Name]; ok {
		want = c
	}
	if t, ok := absoluteTargets[target]; ok {
		target = t
	}
	if got.target() != target {
		t.Errorf("%s: target %.200q, want %.200q", r.Name, got.target(), target)
	}
	have := fieldsOf(got)
	if last := len(have) - 1; len(have) > len(want) && have[last] == "content-length: 0" {
		have = have[:last] // Envoy adds it to methods that may have a body
	}
	if !slices.Equal(have, want) {
		t.Errorf("%s: the pipeline got the headers\n%.1000q, want\n%.1000q", r.Name, have, want)
	}
	if !bytes.Equal(got.body, sent.body) || !strings.EqualFold(got.trailers, sent.trailers) {
		t.Errorf("%s: the pipeline got %.200q and trailers %q, want %.200q and %q", r.Name, got.body, got.trailers, sent.body, sent.trailers)
	}
}

// checkRecorded writes the recorded list out: it is what the pipeline got, with
// the clock and the seed last, but for the length that Envoy's codec adds.
func checkRecorded(t *testing.T, name string, x *recordedExchange, got wireMessage) {
	t.Helper()
	want := fmt.Sprintf("%s %s HTTP/1.1\r\nhost: %s\r\n", x.header(":method"), x.header(":path"), x.header(":authority"))
	list := x.request.GetHeaders()
	for _, h := range list {
		if h.GetName()[0] != ':' {
			want += fmt.Sprintf("%s: %s\r\n", h.GetName(), h.GetValue())
		}
	}
	rest, ok := strings.CutPrefix(got.head, want)
	if !ok || !slices.Contains([]string{"", "content-length: 0\r\n", "transfer-encoding: chunked\r\n"}, rest) {
		t.Errorf("%s: recorded\n%.1000q, the pipeline got\n%.1000q", name, want, got.head)
	}
	n := len(list)
	if string(list[n-2].GetName()) != clockHeader || string(list[n-1].GetName()) != seedHeader {
		t.Errorf("%s: the recorded list does not end with the clock and the seed", name)
	}
	trailers := ""
	for _, h := range x.trailers {
		trailers += fmt.Sprintf("%s: %s\r\n", h.GetName(), h.GetValue())
	}
	if !bytes.Equal(x.request.GetBody(), got.body) || trailers != got.trailers {
		t.Errorf("%s: recorded %.200q and trailers %q, the pipeline got %.200q and %q", name, x.request.GetBody(), trailers, got.body, got.trailers)
	}
}
