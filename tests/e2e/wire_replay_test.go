package e2e

import (
	"bytes"
	"testing"
)

// checkReplay replays the log by the command: VERIFIED, of n answers.
func checkReplay(t *testing.T, s *site, url string, n int) {
	t.Helper()
	var v verdict
	s.runJSON(0, &v, "replay", "--log", s.log, "--target", url)
	if v.Result != "VERIFIED" || v.Compared != uint64(n) || n == 0 {
		t.Errorf("%d answers to compare, verdict %+v", n, v)
	}
}

// checkSameWire compares two times of the same requests, as they are to be the same in
// a place.
func checkSameWire(t *testing.T, p wirePlace, captured, replayed []wireMessage) {
	t.Helper()
	if len(replayed) != len(captured) {
		t.Fatalf("the pipeline got %d requests at the replay, %d when captured", len(replayed), len(captured))
	}
	replayed = inTime(p, replayed, func(m wireMessage) string { return clockOf(m.lines()) })
	for i := range captured {
		if a, b := p.asReceived(captured[i]), p.asReceived(replayed[i]); !bytes.Equal(a, b) {
			t.Errorf("request %d:\n%.1000q when captured,\n%.1000q at the replay", i, a, b)
		}
	}
}

func checkSameStreams(t *testing.T, p wirePlace, captured, replayed []wireStream) {
	t.Helper()
	if len(replayed) != len(captured) {
		t.Fatalf("the pipeline got %d requests at the replay, %d when captured", len(replayed), len(captured))
	}
	replayed = inTime(p, replayed, func(m wireStream) string { return clockOf(m.Headers) })
	for i := range captured {
		if !captured[i].equal(replayed[i]) {
			t.Errorf("request %d:\n%v when captured,\n%v at the replay", i, captured[i], replayed[i])
		}
	}
}
