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

// upgrading is the one that is recorded although it is refused, and leaves a gap where
// nothing can be.
const upgrading = "a WebSocket upgrade"

// TestWireRequests sends every odd request. The pipeline gets at a replay what
// it got behind Envoy, byte for byte, and that is what the client sent but for
// what Envoy changes. Nothing that Envoy or the sidecar refuses is recorded, but
// for an upgrade, which is closed as never let through. Where the sidecar can't refuse
// what it can't record, that passes.
func TestWireRequests(t *testing.T) { inPlaces(t, observing, wireRequests) }

func wireRequests(t *testing.T, p wirePlace) {
	captured := startWireServer(t, p.echo)
	s := newSite(t, p.options(siteOptions{upstream: captured.addr}, "global"))
	var passed []oddities.Request
	refused := map[string]net.Conn{} // read last: Envoy takes a second to close some
	for _, r := range oddities.Requests() {
		if r.Passed && r.Name != unclocked || !p.refuses && (r.Name == unclocked || r.Name == upgrading) {
			if status, body := askWire(t, s.envoy.Addr, r.Raw); status != http.StatusOK {
				t.Fatalf("%s: status %d, %.200q", r.Name, status, body)
			}
			passed = append(passed, r)
			continue
		}
		refused[r.Name] = openWire(t, s.envoy.Addr, r.Raw)
	}
	for name, c := range refused {
		if status, _ := answerOf(t, c, http.MethodGet); status != 0 && status < 400 {
			t.Errorf("%s: status %d", name, status)
		}
	}
	got, recorded := withoutUpgrade(t, p, s, captured, len(passed))
	passed = slices.DeleteFunc(passed, func(r oddities.Request) bool { return r.Name == upgrading })
	if len(got) != len(passed) || len(recorded) != len(passed) || len(passed) < 100 {
		t.Fatalf("the pipeline got %d requests, the log has %d, want %d of each", len(got), len(recorded), len(passed))
	}
	for i, r := range passed {
		checkSent(t, r, got[i])
		checkRecorded(t, r.Name, recorded[i], got[i])
	}
	replayed := startWireServer(t, p.echo)
	checkReplay(t, s, "http://"+replayed.addr, len(passed))
	checkSameWire(t, p, got, replayed.received())
}

// withoutUpgrade stops the site and returns what the pipeline got and what was recorded
// of the requests that passed, but for the upgrade: refused, it is closed as never
// delivered, and else it is a gap.
func withoutUpgrade(t *testing.T, p wirePlace, s *site, pipeline *wireServer, passed int) ([]wireMessage, []*recordedExchange) {
	t.Helper()
	refused, through := 0, 0
	got := slices.DeleteFunc(pipeline.received(), func(m wireMessage) bool {
		_, is := wireField(m.head, "upgrade")
		through += count(is)
		return is
	})
	p.stop(s, passed-through)
	recorded := slices.DeleteFunc(p.exchanges(s), func(x *recordedExchange) bool {
		is := x.abort.GetDelivered() == logv1.Delivered_DELIVERED_NO && strings.Contains(x.abort.GetReason(), "an upgrade to websocket")
		refused += count(is)
		return is
	})
	if gaps := len(gapsOf(t, s.log)); refused != count(p.refuses) || through != 1-refused || gaps != through {
		t.Errorf("of upgrades %d were refused, %d passed, %d are gaps", refused, through, gaps)
	}
	return got, recorded
}

func count(is bool) int {
	if is {
		return 1
	}
	return 0
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
	if !bytes.Equal(x.body, got.body) || trailers != got.trailers {
		t.Errorf("%s: recorded %.200q and trailers %q, the pipeline got %.200q and %q", name, x.body, trailers, got.body, got.trailers)
	}
}
