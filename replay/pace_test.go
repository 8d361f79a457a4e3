package replay_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	auditv1 "verbatim/proto/verbatim/audit/v1"
	"verbatim/replay"
	"verbatim/sidecar/auditlog"
)

// apart records requests that came so long after each other, each answered at once.
func apart(t *testing.T, between ...time.Duration) *recorder {
	t.Helper()
	now := time.Now().Truncate(time.Second).Add(time.Minute) // no log's clock goes behind that of its genesis
	r := newRecorderWith(t, auditlog.Options{Now: func() time.Time { return now }})
	r.start(noisy("x-noise", "date"), "")
	for i, d := range append([]time.Duration{0}, between...) {
		now = now.Add(d)
		path := fmt.Sprint("/", i)
		r.response(r.request(path, "m"), path)
	}
	return r
}

// TestPace: requests follow each other as their clocks say, by the pace. The clock of
// the test stands still but for who waits by it.
func TestPace(t *testing.T) {
	for name, c := range map[string]struct {
		pace  replay.Pace
		delay time.Duration // of the second request's answer
		want  []time.Duration
	}{
		"as fast as possible":             {0, 0, []time.Duration{0, 0, 0, 0}},
		"as recorded":                     {1, 0, []time.Duration{0, 10 * time.Second, 10 * time.Second, time.Hour}},
		"ten times as fast":               {10, 0, []time.Duration{0, time.Second, time.Second, 6 * time.Minute}},
		"half as fast":                    {0.5, 0, []time.Duration{0, 20 * time.Second, 20 * time.Second, 2 * time.Hour}},
		"what is late is not later still": {1, 50 * time.Minute, []time.Duration{0, 10 * time.Second, 50*time.Minute + 10*time.Second, time.Hour}},
		"what is overdue goes at once":    {10, time.Hour, []time.Duration{0, time.Second, time.Hour + time.Second, time.Hour + time.Second}},
	} {
		t.Run(name, func(t *testing.T) {
			r := apart(t, 10*time.Second, 0, time.Hour-10*time.Second)
			url, _ := echo(t, "")
			var sent []time.Duration
			var out *auditv1.AuditReplayResponse
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				var err error
				out, err = r.runUntil(t.Context(), url, func(o *replay.Options) {
					o.Pace = c.pace
					o.Sending = func(uint64) {
						if sent = append(sent, time.Since(began)); len(sent) == 2 {
							<-time.After(c.delay) // by the clock of the test, which costs no time
						}
					}
				})
				if err != nil {
					t.Fatal(err)
				}
			})
			wantResult(t, out, "VERIFIED", "")
			if !slices.Equal(sent, c.want) {
				t.Errorf("sent after %v, want %v", sent, c.want)
			}
		})
	}
}

// TestAStopEndsTheWaitForARequest that is not due yet.
func TestAStopEndsTheWaitForARequest(t *testing.T) {
	r := apart(t, time.Hour)
	url, asked := echo(t, "")
	synctest.Test(t, func(t *testing.T) {
		ended, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		began := time.Now()
		out, err := r.runUntil(ended, url, func(o *replay.Options) { o.Pace = 1 })
		if err != nil {
			t.Fatal(err)
		}
		wantResult(t, out, "CANNOT_TELL", "stopped at offset 4; 1 of 2 answers were compared, and are the same")
		if waited := time.Since(began); waited != time.Minute || len(*asked) != 1 {
			t.Errorf("ended after %v, asked %v", waited, *asked)
		}
	})
}
