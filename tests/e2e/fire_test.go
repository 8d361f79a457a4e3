package e2e

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	fireConnections = 16
	fireMeters      = 5
)

// visit is one request in the pipeline, in the order of what happened there.
type visit struct {
	id, key     string
	enter, left int
}

// guests is a pipeline that notes who is in it together.
type guests struct {
	mu      sync.Mutex
	clock   int
	visits  []*visit
	next    chan struct{}            // closed when anybody enters
	here    map[string]chan struct{} // by id, closed when that one enters
	address string
}

// anybody is closed when the next request enters.
func (g *guests) anybody() <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.next
}

// arrival is closed when the request enters.
func (g *guests) arrival(id string) chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.here[id] == nil {
		g.here[id] = make(chan struct{})
	}
	return g.here[id]
}

func startGuests(t *testing.T, hold bool) *guests {
	t.Helper()
	g := &guests{next: make(chan struct{}), here: map[string]chan struct{}{}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v := &visit{id: r.Header.Get("x-id"), key: r.Header.Get("x-meter-id")}
		g.note(func() { v.enter = g.clock; g.visits = append(g.visits, v); close(g.next); g.next = make(chan struct{}) })
		close(g.arrival(v.id))
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("a request came in part: %v", err) // Envoy had it whole
		}
		if hold && r.Header.Get("x-hold") != "" {
			<-r.Context().Done() // its client hangs up
		}
		g.note(func() { v.left = g.clock })
		_, _ = w.Write(body) // the client may be gone
	}))
	t.Cleanup(server.Close)
	g.address = server.Listener.Addr().String()
	return g
}

func (g *guests) note(do func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.clock++
	do()
}

// TestOrderingUnderFire has clients that hang up at any point of an exchange.
func TestOrderingUnderFire(t *testing.T) {
	rounds := 40
	if *fire {
		rounds = 1000
	}
	for _, ordering := range []string{"meter", "global"} {
		t.Run(ordering, func(t *testing.T) {
			g := startGuests(t, true)
			s := newSite(t, siteOptions{upstream: g.address, serve: []string{"--ordering", ordering}})
			var wg sync.WaitGroup
			answered := make([]int, fireConnections)
			for n := range fireConnections {
				wg.Go(func() {
					for round := range rounds {
						if g.hangUpSomewhere(s, fmt.Sprintf("%d-%d", n, round), n+round, round) {
							answered[n]++
						}
					}
				})
			}
			wg.Wait()
			poll(t, "nothing to be held", func() (bool, error) {
				_, page := getPage(t, "http://"+s.sidecar.Admin+"/metrics")
				return strings.Contains(page, "verbatim_turn_waiting 0\n") && strings.Contains(page, "verbatim_turn_running 0\n") &&
					strings.Contains(page, "verbatim_in_flight_bytes 0\n"), nil
			})
			s.stop()
			g.check(t, recordedExchanges(t, s.log), answered, ordering)
			if r := s.verify(0, s.log); r.Open != 0 || r.Requests != r.Responses+r.Aborts {
				t.Errorf("%d requests, %d responses, %d aborts, %d open", r.Requests, r.Responses, r.Aborts, r.Open)
			}
			var v verdict
			s.runJSON(0, &v, "replay", "--log", s.log, "--target", "http://"+startGuests(t, false).address)
			if v.Result != "VERIFIED" {
				t.Errorf("verdict %+v", v)
			}
		})
	}
}

// hangUpSomewhere is one exchange on a connection of its own; it says whether it
// was answered.
func (g *guests) hangUpSomewhere(s *site, id string, meter, way int) bool {
	const body = "0123456789abcdef"
	conn, err := net.Dial("tcp", s.envoy.Addr)
	if err != nil {
		s.t.Error(err)
		return false
	}
	defer func() { _ = conn.Close() }() // to hang up is what it is for
	if err := conn.SetDeadline(time.Now().Add(wireTimeout)); err != nil {
		s.t.Error(err)
	}
	const ways = 5
	head := fmt.Sprintf("POST /fire HTTP/1.1\r\nhost: a\r\nx-id: %s\r\nx-meter-id: m%d\r\ncontent-length: %d\r\n", id, meter%fireMeters, len(body))
	if way%ways == 1 {
		head += "x-hold: 1\r\n"
	}
	sent := body
	if way%ways == 0 {
		sent = body[:5]
	}
	entered := g.anybody()
	if _, err := io.WriteString(conn, head+"\r\n"+sent); err != nil {
		s.t.Error(err)
		return false
	}
	switch way % ways {
	case 0: // in its body
		return false
	case 1: // while the pipeline works
		entered = g.arrival(id)
	case 2: // while it waits for its turn, unless it has it
	case 3: // while the answer is on its way
		if _, err := io.ReadFull(conn, make([]byte, 20)); err != nil {
			s.t.Errorf("%s: no answer: %v", id, err)
		}
		return false
	default:
		entered = nil
	}
	if entered != nil {
		select {
		case <-entered:
		case <-s.t.Context().Done():
		}
		return false
	}
	status, got := answerOf(s.t, conn, "POST")
	if status != http.StatusOK || got != body {
		s.t.Errorf("%s: status %d, %q", id, status, got)
	}
	return true
}

// check compares what was in the pipeline with what was recorded. Of a request
// that was aborted the pipeline may know later than the sidecar, so that the next
// one may meet it there.
func (g *guests) check(t *testing.T, list []*recorded, answered []int, ordering string) {
	t.Helper()
	visits := map[string]*visit{}
	for _, v := range g.visits {
		visits[v.id] = v
	}
	last, answers, want := map[string]*visit{}, 0, 0
	for _, n := range answered {
		want += n
	}
	for _, x := range list {
		v := visits[x.sentHeader("x-id")]
		if x.answer == nil {
			continue
		}
		answers++
		if v == nil {
			t.Errorf("request %d was answered and was not in the pipeline", x.request.Offset)
			continue
		}
		key := v.key
		if ordering == "global" {
			key = ""
		}
		if before := last[key]; before != nil && v.enter < before.left {
			t.Errorf("%s entered at %d, before %s left at %d", v.id, v.enter, before.id, before.left)
		}
		last[key] = v
	}
	if answers < want {
		t.Errorf("clients saw %d answers, %d are recorded", want, answers)
	}
	gone := 0
	for _, x := range list {
		if x.abort != nil {
			gone++
		}
	}
	t.Logf("%d requests recorded, %d answered, %d whose client went away; %d in the pipeline", len(list), answers, gone, len(g.visits))
}
