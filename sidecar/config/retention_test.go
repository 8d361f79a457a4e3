package config

import (
	"testing"
	"time"
)

func TestSpansMayBeDays(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"90d": 90 * day, "0d": 0, "0": 0, "0s": 0, "2160h": 90 * day, "1h30m": 90 * time.Minute, "-1d": -day,
	} {
		got, err := ParseSpan(text)
		if err != nil || time.Duration(got) != want {
			t.Errorf("%q: %v, %v", text, got, err)
		}
		if again, err := ParseSpan(got.String()); err != nil || again != got {
			t.Errorf("%q is shown as %q, which is read as %v, %v", text, got, again, err)
		}
	}
	for _, text := range []string{"", "d", "90", "1.5d", "90 d", "1d12h", "99999999999d", "-99999999999d", "soon"} {
		if got, err := ParseSpan(text); err == nil {
			t.Errorf("%q is read as %v", text, got)
		}
	}
}

func TestRetentionInAFile(t *testing.T) {
	c, err := Parse([]byte("retention: {keep: 30d, every: 10m}"))
	if err != nil || time.Duration(c.Retention.Keep) != 30*day || c.Retention.Every != 10*time.Minute {
		t.Errorf("%+v, %v", c.Retention, err)
	}
	if c, err = Parse([]byte("retention: {keep: 0}")); err != nil || c.Retention.Keep != 0 {
		t.Errorf("%+v, %v", c.Retention, err)
	}
	const want = `line 2: "retention.keep" must be a duration with a unit, such as 90d`
	for _, text := range []string{"retention:\n  keep: long\n", "retention:\n  keep: 90\n", "retention:\n  keep: [90d]\n"} {
		if _, err := Parse([]byte(text)); err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}
