package main

import (
	"encoding/xml"
	"fmt"
	"os"
	"strings"

	auditv1 "verbatim/proto/verbatim/audit/v1"
)

// windowOffsets are the offsets that one test case of a report stands for: an event
// each would be more than what reads such reports can show.
const windowOffsets = 1000

// maxShown is how many differences of a window are told one by one.
const maxShown = 10

// replayedWindow is what happened to the requests of some offsets.
type replayedWindow struct {
	first      uint64 // offset
	compared   int
	different  int
	durationUS uint64
	shown      []string
}

func (w *replayedWindow) add(e *auditv1.ReplayedExchange) {
	w.durationUS += e.GetDurationUs()
	if !e.GetCompared() {
		return
	}
	w.compared++
	if e.GetEqual() {
		return
	}
	if w.different++; len(w.shown) == maxShown {
		return
	}
	var kinds []string
	for _, k := range e.GetKinds() {
		kinds = append(kinds, kindName(k))
	}
	line := fmt.Sprintf("request %d, answered at %d: %s", e.GetRequestOffset(), e.GetResponseOffset(), strings.Join(kinds, ", "))
	if after := e.GetAfter(); after != "" {
		line += "; after " + after
	}
	w.shown = append(w.shown, strings.Join(append([]string{printable(line)}, printables(e.GetDiff())...), "\n  "))
}

// printables keep lines from being more of them: what a JUnit report says is read by
// people.
func printables(lines []string) []string {
	list := make([]string, len(lines))
	for i, l := range lines {
		list[i] = printable(l)
	}
	return list
}

// The elements of JUnit XML that CI systems read.
type (
	junitSuite struct {
		XMLName  xml.Name    `xml:"testsuite"`
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Errors   int         `xml:"errors,attr"`
		Time     string      `xml:"time,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Class   string      `xml:"classname,attr"`
		Name    string      `xml:"name,attr"`
		Time    string      `xml:"time,attr"`
		Failure *junitWords `xml:"failure"`
		Error   *junitWords `xml:"error"`
	}
	junitWords struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

func seconds(us uint64) string { return fmt.Sprintf("%.6f", float64(us)/1e6) }

// writeJUnit has a case for the verdict and one for each thousand offsets.
func writeJUnit(path string, r *replayReport) error {
	suite := junitSuite{Name: "verbatim replay", Time: seconds(r.GetReplayUs()), Cases: []junitCase{verdictCase(r.AuditReplayResponse)}}
	for _, w := range r.windows {
		c := junitCase{
			Class: "verbatim.replay", Time: seconds(w.durationUS),
			Name: fmt.Sprintf("offsets %d to %d, %d answers compared", w.first, w.first+windowOffsets-1, w.compared),
		}
		if w.different > 0 {
			c.Failure = &junitWords{fmt.Sprintf("%d answers differ", w.different), strings.Join(w.shown, "\n")}
		}
		suite.Cases = append(suite.Cases, c)
	}
	suite.Tests = len(suite.Cases)
	for _, c := range suite.Cases {
		if c.Failure != nil {
			suite.Failures++
		}
		if c.Error != nil {
			suite.Errors++
		}
	}
	text, err := xml.MarshalIndent(suite, "", "  ")
	if err != nil {
		return fmt.Errorf("write JUnit report: %w", err)
	}
	if err := os.WriteFile(path, append([]byte(xml.Header), append(text, '\n')...), 0o600); err != nil {
		return fmt.Errorf("write JUnit report: %w", err)
	}
	return nil
}

// verdictCase fails for each verdict that is none of VERIFIED; what can't be told is an
// error, not a failure.
func verdictCase(r *auditv1.AuditReplayResponse) junitCase {
	c := junitCase{Class: "verbatim.replay", Name: "verdict", Time: seconds(0)}
	words := &junitWords{printable(resultName(r.GetResult()) + ": " + r.GetReason()), strings.Join(printables(r.GetDivergence().GetDiff()), "\n")}
	switch r.GetResult() {
	case auditv1.ReplayResult_REPLAY_RESULT_VERIFIED:
	case auditv1.ReplayResult_REPLAY_RESULT_CANNOT_TELL:
		c.Error = words
	default:
		c.Failure = words
	}
	return c
}
