package e2e

import (
	"testing"

	"verbatim/filter"
)

// wirePipeline is a server of either protocol that answers with what it received.
type wirePipeline struct {
	addr, url string
	// lists are the header lists it received, as HTTP/2 has them.
	lists func() [][]string
}

func startWirePipeline(t *testing.T, p wirePlace, protocol filter.Protocol) wirePipeline {
	t.Helper()
	if protocol == filter.H2 {
		s := startWireHTTP2Server(t, describeStream)
		return wirePipeline{s.addr, "h2c://" + s.addr, func() (lists [][]string) {
			for _, m := range s.received() {
				lists = append(lists, m.Headers)
			}
			return lists
		}}
	}
	s := startWireServer(t, p.echo)
	return wirePipeline{s.addr, "http://" + s.addr, func() (lists [][]string) {
		for _, m := range s.received() {
			lists = append(lists, m.pseudoLines())
		}
		return lists
	}}
}
