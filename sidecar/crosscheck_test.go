package sidecar

import (
	"slices"
	"testing"
	"time"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/capture"
)

// crossed is a cross-check of Envoy's counter on a real log, at times of the test's own.
type crossed struct {
	t     *testing.T
	log   *auditlog.Log
	shown *observed
	check *crossCheck
	zero  time.Time
}

func newCrossed(t *testing.T, log *auditlog.Log, zero time.Time) *crossed {
	t.Helper()
	c := &crossed{t: t, log: log, shown: &observed{}, zero: zero}
	c.check = &crossCheck{log: log, losses: &capture.Losses{}, shown: c.shown}
	if err := c.check.begin(); err != nil {
		t.Fatal(err)
	}
	return c
}

// at is so many seconds after zero.
func (c *crossed) at(second int) time.Time { return c.zero.Add(time.Duration(second) * time.Second) }

// show has Envoy show exchanges that it got at a second.
func (c *crossed) show(second, exchanges int) {
	c.shown.see(uint64(c.at(second).UnixMilli()), exchanges)
}

// look has Envoy say at a second that it has been up for so many and sent so many
// requests, and wants the Gaps that the log has then.
func (c *crossed) look(second, uptime int, sent uint64, want ...uint64) {
	c.t.Helper()
	c.slowLook(second, second, uptime, sent, want...)
}

// slowLook is a look whose question was asked at another second.
func (c *crossed) slowLook(asked, second, uptime int, sent uint64, want ...uint64) {
	c.t.Helper()
	state := envoyState{asked: c.at(asked), at: c.at(second), uptime: time.Duration(uptime) * time.Second, sent: sent}
	if err := c.check.count(c.t.Context(), state); err != nil {
		c.t.Fatal(err)
	}
	if err := c.check.losses.Tell(c.t.Context(), c.log); err != nil {
		c.t.Fatal(err)
	}
	if got := gaps(c.t, c.log); !slices.Equal(got, want) {
		c.t.Errorf("at second %d, up %d s, %d sent: gaps %v, want %v", second, uptime, sent, got, want)
	}
}

func appendAll(t *testing.T, log *auditlog.Log, events ...*logv1.Event) {
	t.Helper()
	for _, ev := range events {
		draft, err := auditlog.NewDraft(ev)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := log.Append(draft).Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// TestWhatWasSentAndNotShownIsToldOnce: when there was time enough to read it.
func TestWhatWasSentAndNotShownIsToldOnce(t *testing.T) {
	c := newCrossed(t, openLog(t), time.Unix(1_800_000_000, 0))
	c.look(100, 50, 0)
	c.show(100, 7)
	c.look(101, 51, 10) // 3 may still come
	c.look(106, 56, 10)
	c.show(100, 1) // late
	c.look(108, 58, 10, 2)
	c.look(120, 70, 10, 2)
	c.show(121, 5)
	c.look(122, 72, 16, 2)
	c.look(129, 79, 16, 2, 1)
	c.show(130, -1) // Envoy answered it itself, and counted nothing
	c.show(130, 1)
	c.look(131, 81, 16, 2, 1)
	c.look(139, 89, 16, 2, 1)
}

// TestAnotherEnvoyCountsAnew: when Envoy was restarted, what the last one said is all
// there is of it, and what the next one says is its own.
func TestAnotherEnvoyCountsAnew(t *testing.T) {
	for name, sent := range map[string]uint64{"fewer": 5, "as many": 10, "more": 20} {
		t.Run(name, func(t *testing.T) {
			c := newCrossed(t, openLog(t), time.Unix(1_800_000_000, 0))
			c.show(100, 8)
			c.look(100, 50, 0)
			c.look(101, 51, 10)
			c.look(105, 1, 0) // it crashed: what it showed may still have to be read
			c.show(101, 1)
			c.show(107, int(sent)-4)
			c.look(108, 4, sent, 1)
			c.look(116, 12, sent, 1, 4)
			c.look(130, 26, sent, 1, 4)
			// Long after, when seconds are not counted apart any more.
			c.look(900, 796, sent+2, 1, 4)
			c.look(908, 804, sent+2, 1, 4, 2)
		})
	}
}

// TestASlowEnvoyIsNotAnother: what it says is of any moment between question and answer.
func TestASlowEnvoyIsNotAnother(t *testing.T) {
	log := openLog(t)
	appendAll(t, log, &logv1.Event{Kind: &logv1.Event_Request{Request: &logv1.Request{}}})
	c := newCrossed(t, log, time.Now())
	const started = -50
	c.slowLook(10, 14, 14-started, 1) // its age when it had answered
	for second := 15; second < 35; second++ {
		c.slowLook(second, second+4, second-started, 1) // when it was asked
	}
}

// TestTheLogKnowsWhatWasBefore: after a restart of the sidecar, what the log has of this
// Envoy is not missing, and what it tells of is not told again.
func TestTheLogKnowsWhatWasBefore(t *testing.T) {
	log := openLog(t)
	appendAll(t, log,
		&logv1.Event{Kind: &logv1.Event_Request{Request: &logv1.Request{}}},
		&logv1.Event{Kind: &logv1.Event_Request{Request: &logv1.Request{}}},
		&logv1.Event{Kind: &logv1.Event_Gap{Gap: &logv1.Gap{Exchanges: 3, Witness: witnessEnvoy}}},
	)
	c := newCrossed(t, log, time.Now()) // the log's own clock
	c.look(10, 60, 9, 3)
	c.look(18, 68, 9, 3, 4)
}

// TestTheLogKnowsNothingOfAnEnvoyThatCameLater: not even where that came in the second
// in which the sidecar began.
func TestTheLogKnowsNothingOfAnEnvoyThatCameLater(t *testing.T) {
	log := openLog(t)
	appendAll(t, log, &logv1.Event{Kind: &logv1.Event_Request{Request: &logv1.Request{}}})
	c := newCrossed(t, log, time.Now())
	c.look(0, 60, 1)
	c.look(1, 1, 0)
	c.show(2, 1)
	c.look(3, 3, 2)
	c.look(11, 11, 2, 1)
}

// TestAClockThatIsSetBackLosesNothing: what was shown before it was is not missing.
func TestAClockThatIsSetBackLosesNothing(t *testing.T) {
	c := newCrossed(t, openLog(t), time.Unix(1_800_000_000, 0))
	c.look(95, 45, 0)
	c.show(100, 10)
	c.look(101, 51, 10)
	c.look(91, 41, 10)
	c.show(92, 1)
	c.look(93, 43, 12)
	c.look(110, 60, 12, 1)
}

// TestAtTheEndNothingIsWaitedFor: what is not shown by then is missing, also of an Envoy
// that is away.
func TestAtTheEndNothingIsWaitedFor(t *testing.T) {
	now := int(time.Now().Unix())
	c := newCrossed(t, openLog(t), time.Unix(0, 0))
	c.check.last() // no Envoy was there
	c.look(now-2, 50, 0)
	c.show(now-1, 4)
	c.look(now-1, 51, 6)
	c.check.last()
	if untold := c.check.losses.Untold(); len(untold) != 1 || untold[0].Exchanges != 2 {
		t.Errorf("lost: %v, want 2", untold)
	}
}
