package anchor

import (
	"testing"
	"time"
)

func TestWhenAnAnchorIsDue(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	for _, c := range []struct {
		name     string
		schedule Schedule
		pending  uint64
		oldest   time.Time
		last     time.Time
		wait     time.Duration
		by       bool
	}{
		{"nothing is pending", Schedule{Every: 1, MinInterval: time.Minute}, 0, time.Time{}, ago(time.Hour), 0, false},
		{"the first", Schedule{Every: 1, MinInterval: time.Minute}, 1, now, time.Time{}, 0, true},
		{"too soon after the last", Schedule{Every: 1, MinInterval: time.Minute}, 3, ago(20 * time.Second), ago(20 * time.Second), 40 * time.Second, true},
		{"long after the last", Schedule{Every: 1, MinInterval: time.Minute}, 3, ago(time.Second), ago(time.Hour), 0, true},
		{"a clock that went back", Schedule{Every: 1, MinInterval: time.Minute}, 1, now, ago(-time.Hour), time.Hour + time.Minute, true},
		{"fewer than every", Schedule{Every: 10}, 9, ago(time.Hour), time.Time{}, 0, false},
		{"as many as every", Schedule{Every: 10}, 10, now, time.Time{}, 0, true},
		{"fewer, but old", Schedule{Every: 10, AlarmAfter: time.Hour}, 1, ago(31 * time.Minute), time.Time{}, 0, true},
		{"fewer, not old yet", Schedule{Every: 10, AlarmAfter: time.Hour}, 1, ago(20 * time.Minute), time.Time{}, 10 * time.Minute, true},
		{"old, and too soon after the last", Schedule{Every: 10, AlarmAfter: time.Hour, MinInterval: time.Minute}, 1, ago(time.Hour), ago(time.Second), 59 * time.Second, true},
	} {
		if wait, by := c.schedule.wait(c.pending, c.oldest, c.last, now); wait != c.wait || by != c.by {
			t.Errorf("%s: wait %v, %t; want %v, %t", c.name, wait, by, c.wait, c.by)
		}
	}
}

func TestWhenTheOldestIsLate(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	for _, c := range []struct {
		limit   time.Duration
		pending uint64
		age     time.Duration
		want    bool
	}{
		{time.Hour, 1, time.Hour, false},
		{time.Hour, 1, time.Hour + time.Second, true},
		{time.Hour, 0, 2 * time.Hour, false},
		{0, 1, 1000 * time.Hour, false},
	} {
		if got := (Schedule{AlarmAfter: c.limit}).late(c.pending, now.Add(-c.age), now); got != c.want {
			t.Errorf("%+v: %t", c, got)
		}
	}
}
