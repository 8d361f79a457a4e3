package e2e

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"

	"verbatim/filter"
)

// early is a pipeline that gives as many octets as a path says, without a look at the
// request's body. Then it waits, and ends its answer.
type early struct {
	address string
	proceed chan struct{} // closed: the answer's end may follow its octets
}

func startEarly(t *testing.T) *early {
	t.Helper()
	p := &early{proceed: make(chan struct{})}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		octets, err := strconv.Atoi(r.URL.Path[len("/up/"):])
		if err != nil {
			t.Error(err)
		}
		out := http.NewResponseController(w)
		_ = out.EnableFullDuplex() // else HTTP/1.1 reads the body first; HTTP/2 does not
		w.Header().Set("content-length", strconv.Itoa(octets))
		w.Header().Set("content-type", "text/plain")
		_ = out.Flush() // any of these fails if Envoy is gone
		_, _ = w.Write(make([]byte, octets))
		_ = out.Flush()
		<-p.proceed
	}))
	server.Config.Protocols = new(http.Protocols)
	server.Config.Protocols.SetHTTP1(true)
	server.Config.Protocols.SetUnencryptedHTTP2(true)
	server.Start()
	t.Cleanup(server.Close)
	p.address = server.Listener.Addr().String()
	return p
}

// upload begins one to a path, and hangs up when it has as many octets of an answer as
// that said.
func upload(envoy, path string) (octets int64, err error) {
	conn, err := net.Dial("tcp", envoy)
	if err != nil {
		return 0, fmt.Errorf("connect: %w", err)
	}
	defer conn.Close()
	if _, err := fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n", path); err != nil {
		return 0, fmt.Errorf("send: %w", err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return 0, fmt.Errorf("read answer: %w", err)
	}
	defer answer.Body.Close()
	return io.Copy(io.Discard, answer.Body)
}

// earlySite records uploads in parts.
func earlySite(t *testing.T, p *early, protocol filter.Protocol) *site {
	t.Helper()
	return newSite(t, siteOptions{upstream: p.address, protocol: protocol, serve: []string{
		"--capture.stream", `request.path.startsWith("/up/")`, "--ordering", "none", "--stream.hold", patience.String(),
	}})
}

// TestAnAnswerThatAClientHasIsRecorded: the pipeline answers uploads before their end and
// says how long the answer is; a client has it all then, and leaves at once.
func TestAnAnswerThatAClientHasIsRecorded(t *testing.T) {
	for _, protocol := range []filter.Protocol{filter.H1, filter.H2} {
		t.Run(protocol.String(), func(t *testing.T) {
			p := startEarly(t)
			close(p.proceed)
			s := earlySite(t, p, protocol)
			const clients, each = 4, 8
			var all sync.WaitGroup
			for range clients {
				all.Go(func() {
					for i := range each {
						octets := 1 + i*20_000
						if n, err := upload(s.envoy.Addr, fmt.Sprintf("/up/%d", octets)); err != nil || int(n) != octets {
							t.Errorf("%d octets of %d: %v", n, octets, err)
						}
					}
				})
			}
			all.Wait()
			s.stop()
			if r := s.verify(0, s.log); r.Requests != clients*each || r.Responses != r.Requests {
				t.Errorf("%+v", r)
			}
		})
	}
}

// TestTheLastOctetsOfAnAnswerWaitForItsEnd, which HTTP/2 sends apart, and nobody but the
// pipeline knows when.
func TestTheLastOctetsOfAnAnswerWaitForItsEnd(t *testing.T) {
	p := startEarly(t)
	s := earlySite(t, p, filter.H2)
	var client sync.WaitGroup
	client.Go(func() {
		if n, err := upload(s.envoy.Addr, "/up/2"); n != 2 || err != nil {
			t.Errorf("%d octets, %v", n, err)
		}
	})
	poll(t, "the octets to be in the log", func() (bool, error) {
		return strings.Contains(s.run(0, "query", "--log", s.log, "--kind", "response_part"), ", 2 octets\n"), nil
	})
	close(p.proceed)
	client.Wait()
	s.stop()
	if got := strings.Join(partsOf(t, s.log, "/up/2"), " "); got != "request true > head < response" {
		t.Errorf("entries %s", got)
	}
	checkReplay(t, s, "h2c://"+p.address, 1)
}
