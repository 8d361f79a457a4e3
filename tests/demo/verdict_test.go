package main

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"verbatim/tests/mesh"
)

func TestReplayCheck(t *testing.T) {
	log := verifyReport{OK: true, Entries: 12, Checkpoints: 1, ChainRoot: "c"}
	good := replayReport{
		Result: "VERIFIED", Requests: 5, Sent: 5, Compared: 5, OriginalRoot: "r", ReplayRoot: "r",
		FootersChecked: 1, FootersEqual: 1, LinksChecked: 12, ChainRoot: "c",
	}
	if err := good.check(5, log); err != nil {
		t.Errorf("a good replay: %v", err)
	}
	for name, c := range map[string]struct {
		change func(*replayReport)
		want   string
	}{
		"diverged":         {func(r *replayReport) { r.Result, r.Reason = "DIVERGENCE", "why" }, "DIVERGENCE: why"},
		"cannot tell":      {func(r *replayReport) { r.Result = "CANNOT_TELL" }, "CANNOT_TELL"},
		"event missing":    {func(r *replayReport) { r.Requests = 4 }, "found 4"},
		"event not sent":   {func(r *replayReport) { r.Sent = 4 }, "sent 4"},
		"not compared":     {func(r *replayReport) { r.Compared = 4 }, "compared 4"},
		"no roots":         {func(r *replayReport) { r.OriginalRoot, r.ReplayRoot = "", "" }, "output roots differ"},
		"other root":       {func(r *replayReport) { r.ReplayRoot = "s" }, "output roots differ"},
		"no footer":        {func(r *replayReport) { r.FootersChecked, r.FootersEqual = 0, 0 }, "0 of 0 footers"},
		"footer differs":   {func(r *replayReport) { r.FootersEqual = 0 }, "0 of 1 footers"},
		"link not checked": {func(r *replayReport) { r.LinksChecked = 11 }, "11 links"},
		"other log":        {func(r *replayReport) { r.ChainRoot = "d" }, "up to root d"},
	} {
		r := good
		c.change(&r)
		if err := r.check(5, log); !errors.Is(err, errCheck) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want a failed check with %q", name, err, c.want)
		}
	}
}

func TestNamedOffset(t *testing.T) {
	for name, c := range map[string]struct {
		report verifyReport
		want   string // empty: no error
	}{
		"named":         {verifyReport{Findings: []finding{{Offset: 7}, {Offset: 7}}}, ""},
		"unnoticed":     {verifyReport{OK: true}, "found nothing"},
		"no finding":    {verifyReport{}, "found nothing"},
		"another":       {verifyReport{Findings: []finding{{Offset: 8}}}, "names offset 8"},
		"another, too":  {verifyReport{Findings: []finding{{Offset: 7}, {Offset: 9}}}, "names offset 9"},
		"contradictory": {verifyReport{OK: true, Findings: []finding{{Offset: 7}}}, "found nothing"},
	} {
		err := c.report.checkNames(7)
		if c.want == "" && err != nil || c.want != "" && (!errors.Is(err, errCheck) || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

func TestLoadCheck(t *testing.T) {
	if err := checkLoad(mesh.LoadResult{Done: 3}, 3); err != nil {
		t.Error(err)
	}
	err := checkLoad(mesh.LoadResult{Done: 1, Failed: map[int]int{503: 4, 0: 2}, FirstError: io.ErrUnexpectedEOF}, 7)
	if !errors.Is(err, errCheck) || !errors.Is(err, io.ErrUnexpectedEOF) ||
		!strings.HasSuffix(err.Error(), "1 of 7 events were answered with 200; 2 had no whole answer, the first: unexpected EOF; 4 with 503") {
		t.Errorf("failed load: %v", err)
	}
}

func TestProgressLines(t *testing.T) {
	var out bytes.Buffer
	show := progress(&out, false, 7)
	for done := 1; done <= 7; done++ {
		show(done)
	}
	want := "   10%  1 of 7 events\n   20%  2 of 7 events\n   40%  3 of 7 events\n   50%  4 of 7 events\n   70%  5 of 7 events\n   80%  6 of 7 events\n  100%  7 of 7 events\n"
	if out.String() != want {
		t.Errorf("progress:\n%swant:\n%s", &out, want)
	}
}

func TestProgressBar(t *testing.T) {
	var out bytes.Buffer
	show := progress(&out, true, 7)
	for done := 1; done <= 7; done++ {
		show(done)
	}
	if !strings.Contains(out.String(), "7/7") || !strings.HasSuffix(out.String(), "\n") {
		t.Errorf("progress bar: %q, want it full and its line ended", &out)
	}
}
