package main

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"verbatim/tests/mesh"
)

// summary is what a run has measured and what verbatim said.
type summary struct {
	// plain and captured are the load without verbatim and with it.
	plain, captured mesh.LoadResult
	log             verifyReport
	replay          replayReport
}

// check says whether all that was promised has been shown.
func (s *summary) check(events int) error {
	if err := s.log.check(); err != nil {
		return err
	}
	return s.replay.check(events, s.log)
}

func (s *summary) print(out io.Writer) {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	row := func(name, format string, args ...any) {
		fmt.Fprintf(table, "  %s\t"+format+"\n", append([]any{name}, args...)...)
	}
	row("events", "%d, all answered", s.captured.Done)
	row("entries", "%d, every link checked", s.log.Entries)
	row("checkpoints", "%d, output roots equal in %d of %d that hold answers", s.log.Checkpoints, s.replay.FootersEqual, s.replay.FootersChecked)
	row("chain root", "%s", s.log.ChainRoot)
	row("output root, recorded", "%s", s.replay.OriginalRoot)
	row("output root, replayed", "%s", s.replay.ReplayRoot)
	row("result", "%s: %s", s.replay.Result, s.replay.Reason)
	for _, line := range s.replay.Divergence.Diff {
		row("", "%s", line)
	}
	row("recording", "%.0f events/s, %.0f without verbatim", perSecond(s.captured.Done, s.captured.Elapsed), perSecond(s.plain.Done, s.plain.Elapsed))
	row("replay", "%.0f events/s, one at a time: %.1f times real time", perSecond(s.replay.Sent, s.replay.elapsed()),
		ratio(s.replay.recorded(), s.replay.elapsed()))
	for _, q := range []struct {
		name string
		of   func(mesh.Latencies) time.Duration
	}{{"p50", mesh.Latencies.P50}, {"p99", mesh.Latencies.P99}} {
		with, without := q.of(s.captured.Latencies), q.of(s.plain.Latencies)
		row("latency "+q.name, "%s with recording, %s without: %s added", millis(with), millis(without), millis(with-without))
	}
	// The writer below cannot know more of a lost terminal than it does.
	_ = table.Flush()
	fmt.Fprint(out, `
  What was compared is the answers, byte for byte; what the pipeline does outside them, such as calls of its own, is not.
  Times are of this run on this machine, with every connection sending as soon as it has its answer; others will differ.
`)
}

func perSecond(n int, elapsed time.Duration) float64 {
	if elapsed <= 0 {
		return 0
	}
	return float64(n) / elapsed.Seconds()
}

// ratio says how many times b fits into a.
func ratio(a, b time.Duration) float64 {
	if b <= 0 {
		return 0
	}
	return float64(a) / float64(b)
}

func millis(d time.Duration) string {
	return fmt.Sprintf("%.2f ms", float64(d)/float64(time.Millisecond))
}
