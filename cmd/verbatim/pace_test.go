package main

import (
	"testing"

	"verbatim/replay"
)

func TestPaceFlag(t *testing.T) {
	for text, want := range map[string]replay.Pace{"max": 0, "recorded": 1, "x1": 1, "x10": 10, "x0.5": 0.5, "x1e3": 1000} {
		var p paceFlag
		if err := p.Set(text); err != nil || p.pace != want || p.String() != text {
			t.Errorf("%s: %v, %q, %v", text, p.pace, p.String(), err)
		}
	}
	for _, text := range []string{"", "x", "10", "x0", "x-1", "xInf", "xNaN", "x1e400", "fast", "Recorded"} {
		p := paceFlag{pace: 7, text: "x7"}
		if err := p.Set(text); err == nil || p.pace != 7 || p.String() != "x7" {
			t.Errorf("%q: %v, %q, %v", text, p.pace, p.String(), err)
		}
	}
	if p := new(paceFlag); p.String() != "max" {
		t.Errorf("not set: %q", p.String())
	}
}
