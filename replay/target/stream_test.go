package target_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/http2"

	"verbatim/replay/target"
)

const testTimeout = 30 * time.Second

// TestPartsKeepTheirPlaceInTheAnswer is a property: however a conversation goes, no
// octet of the request arrives before as much of the answer has gone as it waits for.
func TestPartsKeepTheirPlaceInTheAnswer(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 40 {
		var turns []turn
		for range 1 + random.IntN(12) {
			turns = append(turns, turn{ask: random.IntN(50) * random.IntN(50), answer: random.IntN(50) * random.IntN(50)})
		}
		for _, scheme := range schemes {
			c := &conversation{turns: turns}
			c.came.L = &c.mu
			address := serveHTTP(t, c.serve)
			a, err := open(t, scheme+"://"+address, target.Options{}).Stream(within(t), converse(c.parts()), 0, 1<<20)
			if err != nil {
				t.Fatalf("%s, %v: %v", scheme, turns, err)
			}
			c.mu.Lock()
			if len(c.early) > 0 || c.asked == 0 && turns[0].ask > 0 || a.Octets != uint64(c.sent) {
				t.Errorf("%s, %v: octets of the request that came too early: %v; %d came, %d of %d octets came back",
					scheme, turns, c.early, c.asked, a.Octets, c.sent)
			}
			c.mu.Unlock()
		}
	}
}

// Envoy writes each piece of a streamed body as it gets it.
func TestHTTP1Parts(t *testing.T) {
	start := "POST / HTTP/1.1\r\nhost: a\r\n"
	long := strings.Repeat("x", 300)
	address, requests := answering(t, "HTTP/1.1 204 No Content\r\n\r\n", false)
	tg := open(t, "http://"+address, target.Options{})
	for _, c := range []struct {
		r    *target.Request
		want string
	}{
		{converse(partsOf(target.Part{Data: []byte("ab")}, target.Part{}, target.Part{Data: []byte(long)}, target.Part{Last: true})),
			start + "transfer-encoding: chunked\r\n\r\n2\r\nab\r\n12c\r\n" + long + "\r\n0\r\n\r\n"},
		{converse(partsOf(target.Part{Data: []byte("ab"), Last: true}, target.Part{Data: []byte("not sent")})),
			start + "transfer-encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n"},
		{converse(partsOf(target.Part{Last: true})), start + "transfer-encoding: chunked\r\n\r\n0\r\n\r\n"},
		{converse(partsOf(target.Part{Data: []byte("ab")}, target.Part{Last: true, Trailers: headers("x-t: 1", "x-t: 2")})),
			start + "transfer-encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nx-t: 1\r\nx-t: 2\r\n\r\n"},
		{converse(partsOf(target.Part{Data: []byte("abc")}, target.Part{Data: []byte("de"), Last: true}), "content-length: 5"),
			start + "content-length: 5\r\n\r\nabcde"},
	} {
		if _, err := tg.Do(within(t), c.r); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(c.want, <-requests); d != "" {
			t.Errorf("request (-want +got):\n%s", d)
		}
	}
}

func TestHTTP2Parts(t *testing.T) {
	requests := make(chan *request, 10)
	address := peers(t, func(_ int, p *peer) error {
		for {
			r, err := p.next()
			if err != nil {
				return err
			}
			requests <- r
			if err := p.headers(r.id, true, ":status: 204"); err != nil {
				return err
			}
		}
	}, http2.Setting{ID: http2.SettingInitialWindowSize, Val: 100})
	tg := open(t, "h2c://"+address, target.Options{})
	long := bytes.Repeat([]byte("x"), 250)
	for _, c := range []struct {
		parts  target.Parts
		frames []string
	}{
		{partsOf(target.Part{Data: []byte("ab")}, target.Part{}, target.Part{Last: true}), []string{"HEADERS", "DATA 2", "DATA 0"}},
		{partsOf(target.Part{Data: []byte("ab")}, target.Part{Data: []byte("c"), Last: true}), []string{"HEADERS", "DATA 2", "DATA 1"}},
		{partsOf(target.Part{Data: []byte("ab")}, target.Part{Last: true, Trailers: headers("x-t: 1")}), []string{"HEADERS", "DATA 2", "HEADERS"}},
		{partsOf(target.Part{Data: long}, target.Part{Data: long, Last: true}), nil},
	} {
		if _, err := tg.Do(within(t), converse(c.parts)); err != nil {
			t.Fatal(err)
		}
		r := <-requests
		if c.frames == nil {
			if len(r.body) != 2*len(long) {
				t.Errorf("%d octets came through a window of 100, %d were to", len(r.body), 2*len(long))
			}
			continue
		}
		if d := cmp.Diff(c.frames, r.frames); d != "" {
			t.Errorf("frames (-want +got):\n%s", d)
		}
	}
}

// A part whose octets do not come is named.
func TestOctetsThatDoNotComeAreAFinding(t *testing.T) {
	for _, scheme := range schemes {
		gone := make(chan error, 1)
		address := serveHTTP(t, events(5, gone))
		r := converse(partsOf(target.Part{Offset: 7}, target.Part{Offset: 9, After: 6, Last: true}))
		r.Idle = 200 * time.Millisecond
		a, err := open(t, scheme+"://"+address, target.Options{}).Stream(within(t), r, 3, 1<<20)
		var order *target.OrderError
		if !errors.Is(err, target.ErrOrder) || !errors.Is(err, target.ErrTimeout) || !errors.As(err, &order) {
			t.Fatalf("%s: %v, want ErrOrder", scheme, err)
		}
		if order.Part != 9 || order.After != 6 || order.Received != 5 || a.Octets != 5 || string(a.Body) != "012" || a.Status != 200 {
			t.Errorf("%s: %+v with an answer %d of %d octets, %q", scheme, order, a.Status, a.Octets, a.Body)
		}
		if err := <-gone; err == nil {
			t.Errorf("%s: the server did not notice", scheme)
		}
	}
}

// A client that goes away takes what it had received, and the server notices.
func TestBreakingOff(t *testing.T) {
	for _, scheme := range schemes {
		for name, r := range map[string]*target.Request{
			"a GET":               get("GET"),
			"a request all sent":  converse(partsOf(target.Part{Data: []byte("ab"), Last: true})),
			"a request cut short": converse(partsOf(target.Part{Data: []byte("ab")}, target.Part{After: 2, Data: []byte("cd")})),
		} {
			gone := make(chan error, 1)
			address := serveHTTP(t, events(5, gone))
			tg := open(t, scheme+"://"+address, target.Options{})
			r.BreakOff = pointer(4)
			if _, err := tg.Stream(within(t), r, 0, 1<<20); !errors.Is(err, target.ErrBrokenOff) {
				t.Errorf("%s, %s: %v", scheme, name, err)
			}
			if err := <-gone; err == nil {
				t.Errorf("%s, %s: the server did not notice", scheme, name)
			}
		}
	}
}

// An answer that is whole before the client goes away is an answer.
func TestAnswersBeforeTheRequestIsWhole(t *testing.T) {
	for _, scheme := range schemes {
		address := serveHTTP(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "2")
			_, _ = w.Write([]byte("no"))
		})
		tg := open(t, scheme+"://"+address, target.Options{})
		for range 2 {
			r := converse(partsOf(target.Part{Data: []byte("ab")}, target.Part{After: 99, Last: true}))
			m, err := tg.Do(within(t), r)
			if err != nil || string(m.Body) != "no" {
				t.Errorf("%s: got %v, %v", scheme, m, err)
			}
		}
	}
}

// What the server did not process is sent again from the first part on.
func TestRefusedPartsAreSentAgain(t *testing.T) {
	bodies := make(chan string, 2)
	address := peers(t, func(n int, p *peer) error {
		r, err := p.next()
		if err != nil {
			return err
		}
		bodies <- string(r.body)
		if n == 0 {
			return p.WriteRSTStream(r.id, http2.ErrCodeRefusedStream)
		}
		if err := p.headers(r.id, true, ":status: 200"); err != nil {
			return err
		}
		_, err = p.next()
		return err
	})
	tg := open(t, "h2c://"+address, target.Options{})
	if _, err := tg.Do(within(t), converse(partsOf(target.Part{Data: []byte("a")}, target.Part{Data: []byte("b"), Last: true}))); err != nil {
		t.Fatal(err)
	}
	if first, second := <-bodies, <-bodies; first != "ab" || second != "ab" {
		t.Errorf("the server got %q and %q", first, second)
	}
}

func TestPartsThatCannotBeHad(t *testing.T) {
	lost := errors.New("lost")
	for _, scheme := range schemes {
		address := serveHTTP(t, func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) })
		tg := open(t, scheme+"://"+address, target.Options{})
		for name, c := range map[string]struct {
			parts target.Parts
			want  error
		}{
			"an error":      {func(yield func(target.Part, error) bool) { yield(target.Part{}, lost) }, lost},
			"no last":       {partsOf(target.Part{Data: []byte("a")}), target.ErrParts},
			"none":          {partsOf(), target.ErrParts},
			"wrong trailer": {partsOf(target.Part{Last: true, Trailers: headers("t: \n")}), target.ErrUnsendable},
		} {
			if _, err := tg.Do(within(t), converse(c.parts)); !errors.Is(err, c.want) {
				t.Errorf("%s, %s: %v", scheme, name, err)
			}
		}
	}
}

// A long answer is counted and hashed, not held.
func TestLongAnswersAreNotHeld(t *testing.T) {
	const size = 48 << 20
	piece := bytes.Repeat([]byte("0123456789abcdef"), 4<<10)
	digest := sha256.New()
	for range size / len(piece) {
		digest.Write(piece)
	}
	for _, scheme := range schemes {
		address := serveHTTP(t, func(w http.ResponseWriter, _ *http.Request) {
			for range size / len(piece) {
				if _, err := w.Write(piece); err != nil {
					return
				}
			}
		})
		tg := open(t, scheme+"://"+address, target.Options{})
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		a, err := tg.Stream(within(t), get("GET"), 20, size)
		runtime.ReadMemStats(&after)
		if err != nil {
			t.Fatal(err)
		}
		if a.Octets != size || !bytes.Equal(a.SHA256[:], digest.Sum(nil)) || string(a.Body) != "0123456789abcdef0123" {
			t.Errorf("%s: %d octets, SHA-256 %x, held %q", scheme, a.Octets, a.SHA256, a.Body)
		}
		if used := after.TotalAlloc - before.TotalAlloc; used > size/4 {
			t.Errorf("%s: %d octets were allocated for an answer of %d", scheme, used, size)
		}
		if _, err := tg.Stream(within(t), get("GET"), 0, size-1); !errors.Is(err, target.ErrMalformed) {
			t.Errorf("%s: an answer over the limit: %v", scheme, err)
		}
	}
}

// A stream that goes on is not timed out, however long it takes as a whole.
func TestIdleBoundsAStream(t *testing.T) {
	for _, scheme := range schemes {
		var served atomic.Int32
		address := listen(t, func(_ int, c net.Conn) {
			served.Add(1)
			_, _ = io.Copy(io.Discard, c) // until the client goes
		})
		r := get("GET")
		r.Idle = 50 * time.Millisecond
		if _, err := open(t, scheme+"://"+address, target.Options{}).Do(within(t), r); !errors.Is(err, target.ErrTimeout) || errors.Is(err, target.ErrOrder) {
			t.Errorf("%s: %v, want ErrTimeout", scheme, err)
		}
	}
}

// An answer may cross the end of its client on the way. What then comes of that end
// is no part of a later exchange.
func TestAnAnswerCrossesTheEndOfItsClient(t *testing.T) {
	address := peers(t, func(n int, p *peer) error {
		if n > 0 {
			return p.ok()
		}
		r, err := p.next()
		if err != nil {
			return err
		}
		for {
			f, err := p.ReadFrame()
			if err != nil {
				return err
			}
			if ping, is := f.(*http2.PingFrame); is && !ping.IsAck() {
				err := errors.Join(p.headers(r.id, false, ":status: 200"), p.WriteData(r.id, true, []byte("whole")), p.WritePing(true, ping.Data))
				if err != nil {
					return err
				}
				return p.ok()
			}
		}
	})
	tg := open(t, "h2c://"+address, target.Options{})
	r := get("GET")
	r.BreakOff = pointer(0)
	if m, err := tg.Do(within(t), r); err != nil || string(m.Body) != "whole" {
		t.Errorf("got %q, %v", m.Body, err)
	}
	if m, err := tg.Do(within(t), get("GET")); err != nil || m.Status != 200 {
		t.Errorf("the next one: status %d, %v", m.Status, err)
	}
}

// A request that has no end leaves its server in the middle of a body.
func TestWhatFollowsARequestWithoutAnEnd(t *testing.T) {
	for _, scheme := range schemes {
		address := serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "2")
			_, _ = w.Write([]byte("no"))
			if r.ProtoMajor == 1 {
				_ = http.NewResponseController(w).Flush()
				_, _ = io.Copy(io.Discard, r.Body) // until it breaks off
			}
		})
		tg := open(t, scheme+"://"+address, target.Options{})
		for range 2 {
			r := converse(partsOf(target.Part{Data: []byte("ab")}))
			r.BreakOff = pointer(math.MaxUint64)
			if m, err := tg.Do(within(t), r); err != nil || m.Status != 200 || string(m.Body) != "no" {
				t.Errorf("%s: got %v, %v", scheme, m, err)
			}
		}
	}
}
