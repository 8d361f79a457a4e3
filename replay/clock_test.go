package replay_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/replay"
)

// spyClock notes what it is set to, and how many requests had come by then.
type spyClock struct {
	asked *atomic.Int64
	set   []string
	fails error
}

func (c *spyClock) Set(ms uint64) error {
	c.set = append(c.set, fmt.Sprintf("%d before request %d", ms, c.asked.Load()))
	return c.fails
}

// counted is a target that answers as echo does, and counts.
func counted(t *testing.T) (url string, asked *atomic.Int64) {
	t.Helper()
	asked = &atomic.Int64{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		asked.Add(1)
		w.Header().Set("Content-Type", "text/plain")
		w.Header().Set("X-Noise", "replayed")
		_, _ = io.WriteString(w, "you asked for "+q.URL.Path) // a client that is gone is seen elsewhere
	}))
	t.Cleanup(s.Close)
	return s.URL, asked
}

// told records a request that was told the time by headers.
func (r *recorder) told(headers ...*logv1.Header) uint64 {
	headers = append([]*logv1.Header{
		field(":authority", "pipeline"), field(":path", "/a"), field(":method", "GET"), field(":scheme", "http"),
	}, headers...)
	return r.put(&logv1.Event{Kind: &logv1.Event_Request{Request: &logv1.Request{Headers: headers}}})
}

// TestTheClockIsSetBeforeEachRequest: to the time that the pipeline was told, and to
// the entry's where it was told none. What was never delivered sets nothing.
func TestTheClockIsSetBeforeEachRequest(t *testing.T) {
	r := newRecorder(t)
	r.start(noisy("x-noise", "date"), "")
	r.response(r.told(field("x-verbatim-clock-ms", "946684800123")), "/a")
	r.abort(r.told(field("x-verbatim-clock-ms", "5")), logv1.Delivered_DELIVERED_NO)
	without := r.told()
	r.response(without, "/a")
	noNumber := r.told(field("x-verbatim-clock-ms", "soon"))
	r.response(noNumber, "/a")
	times := map[uint64]uint64{}
	for _, o := range []uint64{without, noNumber} {
		times[o] = r.clockOf(o)
	}
	url, asked := counted(t)
	clock := &spyClock{asked: asked}
	wantResult(t, r.replay(url, func(o *replay.Options) { o.Clock = clock }), "VERIFIED", "")
	want := []string{
		"946684800123 before request 0", fmt.Sprintf("%d before request 1", times[without]), fmt.Sprintf("%d before request 2", times[noNumber]),
	}
	if !slices.Equal(clock.set, want) {
		t.Errorf("set  %q\nwant %q", clock.set, want)
	}
}

// clockOf reads an entry's own clock.
func (r *recorder) clockOf(offset uint64) uint64 {
	r.t.Helper()
	v, err := r.log.View()
	if err != nil {
		r.t.Fatal(err)
	}
	defer v.Close()
	e, err := v.Entry(offset)
	if err != nil {
		r.t.Fatal(err)
	}
	ev, err := e.Event()
	if err != nil {
		r.t.Fatal(err)
	}
	return ev.GetWallClockMs()
}

func TestAClockThatCannotBeSetEndsTheReplay(t *testing.T) {
	r := newRecorder(t)
	r.start(noisy("date"), "")
	q := r.told()
	r.response(q, "/a")
	url, asked := counted(t)
	err := r.replayError(url, func(o *replay.Options) { o.Clock = &spyClock{asked: asked, fails: errors.New("no clock")} })
	if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("at request %d: no clock", q)) || asked.Load() > 0 {
		t.Errorf("asked %d times, error %v", asked.Load(), err)
	}
}

// TestAnotherClockIsAWarning: the target's clock is not of the kind that the pipeline
// had. What the log does not know is no warning.
func TestAnotherClockIsAWarning(t *testing.T) {
	const system, frozen = logv1.PipelineClock_PIPELINE_CLOCK_SYSTEM, logv1.PipelineClock_PIPELINE_CLOCK_FROZEN
	for name, c := range map[string]struct {
		recorded []logv1.PipelineClock
		clock    bool
		want     string
	}{
		"frozen, as recorded": {[]logv1.PipelineClock{frozen}, true, ""},
		"system, as recorded": {[]logv1.PipelineClock{system}, false, ""},
		"not known, frozen":   {[]logv1.PipelineClock{0}, true, ""},
		"not known, system":   {[]logv1.PipelineClock{0}, false, ""},
		"frozen, and now system": {[]logv1.PipelineClock{frozen}, false,
			"recorded from offset 1 on under a frozen clock, replayed without one: what the pipeline reads from the clock differs"},
		"system, and now frozen": {[]logv1.PipelineClock{system}, true,
			"recorded from offset 1 on under the system's clock, replayed under a frozen one: what the pipeline read from the clock can differ by the time that a request was on its way"},
		"frozen later, and now system": {[]logv1.PipelineClock{system, frozen}, false,
			"recorded from offset 4 on under a frozen clock, replayed without one: what the pipeline reads from the clock differs"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRecorder(t)
			for _, clock := range c.recorded {
				r.put(&logv1.Event{Kind: &logv1.Event_Start{Start: &logv1.Start{IgnorePolicy: noisy("x-noise", "date").Policy(), PipelineClock: clock}}})
				r.response(r.request("/a", "m"), "/a")
			}
			url, asked := counted(t)
			out := r.replay(url, func(o *replay.Options) {
				if c.clock {
					o.Clock = &spyClock{asked: asked}
				}
			})
			wantResult(t, out, "VERIFIED", "")
			if got := strings.Join(out.GetWarnings(), "\n"); got != c.want {
				t.Errorf("warnings %q, want %q", got, c.want)
			}
		})
	}
}
