package e2e

import (
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"

	"verbatim/filter"
)

// everyPlace is for the matrix; else each wire test runs before the router, in profile
// strict, and in one other place.
var everyPlace = flag.Bool("wire.places", false, "run each wire test in every place where a capture can be, not in two")

// wirePlace is where a capture can be, and what Envoy makes different there. All else
// that the wire tests ask for must hold in each of them.
type wirePlace struct {
	name     string
	position filter.Position
	profile  filter.Profile

	// anyOrdering: requests may have to wait for their turn. Behind the router that
	// needs a pipeline of HTTP/2, as a connection of HTTP/1.1 waits with them; in
	// profile observe nothing waits.
	anyOrdering func(filter.Protocol) bool
	// refuses: what can't be recorded does not pass.
	refuses bool
	// speaks: a refusal has its status and its sentence. Behind the router Envoy
	// ignores an answer of the sidecar's; the stream fails, with 503.
	speaks bool
	// holds: bodies go on when they are there whole, so the pipeline gets each as one
	// chunk, and a client no answer that breaks off. In profile observe they go on as
	// they come.
	holds bool
	// draws: the seed is the sidecar's, a number. In profile observe it is Envoy's, a
	// random UUID.
	draws bool
}

var (
	beforeRouter = wirePlace{
		name: "before the router", anyOrdering: func(filter.Protocol) bool { return true },
		refuses: true, speaks: true, holds: true, draws: true,
	}
	behindRouter = wirePlace{
		name: "behind the router", position: filter.Upstream, anyOrdering: func(p filter.Protocol) bool { return p == filter.H2 },
		refuses: true, holds: true, draws: true,
	}
	observing       = wirePlace{name: "observing", profile: filter.Observe, anyOrdering: never}
	observingBehind = wirePlace{name: "observing behind the router", position: filter.Upstream, profile: filter.Observe, anyOrdering: never}
)

func never(filter.Protocol) bool { return false }

// inPlaces runs a wire test before the router and in another place; in all of them for
// the matrix.
func inPlaces(t *testing.T, other wirePlace, test func(*testing.T, wirePlace)) {
	places := []wirePlace{beforeRouter, other}
	if *everyPlace {
		places = []wirePlace{beforeRouter, behindRouter, observing, observingBehind}
	}
	for _, p := range places {
		t.Run(p.name, func(t *testing.T) { test(t, p) })
	}
}

// options are those of a site in this place, with the ordering if it can be.
func (p wirePlace) options(o siteOptions, ordering string) siteOptions {
	if !p.anyOrdering(o.protocol) {
		ordering = "none"
	}
	o.capture.Position, o.capture.Profile = p.position, p.profile
	o.serve = slices.Concat(o.serve, []string{
		"--position", p.position.String(), "--profile", p.profile.String(), "--ordering", ordering,
	})
	return o
}

// stop ends the site when the log has an outcome of each request. Where something waits
// for the sidecar that is so when the client has its answer.
func (p wirePlace) stop(s *site, requests int) {
	s.t.Helper()
	if p.profile == filter.Observe {
		poll(s.t, fmt.Sprintf("the outcomes of %d requests", requests), func() (bool, error) {
			r := s.verify(0, s.log)
			return r.Requests >= uint64(requests) && r.Open == 0, nil
		})
	}
	s.stop()
}

// exchanges reads the log of a site in this place, which has ended.
func (p wirePlace) exchanges(s *site) []*recordedExchange {
	s.t.Helper()
	return inTime(p, readExchanges(s.t, s.log), func(x *recordedExchange) string { return x.header(clockHeader) })
}

// inTime puts requests in the order of their clocks. Profile observe knows their order
// only roughly, so the log and a replay may have another.
func inTime[T any](p wirePlace, list []T, clock func(T) string) []T {
	if p.profile == filter.Observe {
		slices.SortStableFunc(list, func(a, b T) int { return strings.Compare(clock(a), clock(b)) })
	}
	return list
}

// clockOf is the clock in a header list.
func clockOf(lines []string) string {
	for _, l := range lines {
		if value, ok := strings.CutPrefix(l, clockHeader+": "); ok {
			return value
		}
	}
	return ""
}

// asReceived is what two requests have to have in common to be the same: all octets,
// or all but how the body was cut into chunks.
func (p wirePlace) asReceived(m wireMessage) []byte {
	if p.holds {
		return m.raw
	}
	return m.whole()
}

// echo is echoWire of that.
func (p wirePlace) echo(m wireMessage) wireAnswer {
	m.raw = p.asReceived(m)
	return echoWire(m)
}
