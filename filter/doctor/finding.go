package doctor

import (
	"cmp"
	"fmt"
	"slices"
)

// Severity says what a finding means for the record.
type Severity string

const (
	// Loses means that exchanges pass unrecorded, or not whole.
	Loses Severity = "loses"
	// Alters means that the pipeline or a client sees something else than without capture, or
	// than what is recorded.
	Alters Severity = "alters"
	// Holds means that requests are refused or held up that need not be.
	Holds Severity = "holds"
	// Doubts means that what is recorded can't be replayed with certainty.
	Doubts Severity = "doubts"
	// Unseen means that something could not be examined. It is no fault.
	Unseen Severity = "unseen"
)

// Finding is one thing that is wrong, or that could not be examined.
type Finding struct {
	// Code is stable, such as "trailers-not-sent"; docs/doctor.md lists them.
	Code     string   `json:"code"`
	Severity Severity `json:"severity"`
	// Where is a place in the configuration, in words.
	Where string `json:"where"`
	// Problem and Remedy are sentences without a full stop.
	Problem string `json:"problem"`
	Remedy  string `json:"remedy"`
}

// String is the finding on one line.
func (f Finding) String() string {
	return fmt.Sprintf("%s: %s: %s; %s [%s]", f.Severity, f.Where, f.Problem, f.Remedy, f.Code)
}

// Faults are the findings that are not Unseen.
func Faults(list []Finding) []Finding {
	return slices.DeleteFunc(slices.Clone(list), func(f Finding) bool { return f.Severity == Unseen })
}

// findings collects, each once.
type findings struct{ list []Finding }

func (f *findings) add(code string, s Severity, where, problem, remedy string) {
	n := Finding{code, s, where, problem, remedy}
	if !slices.Contains(f.list, n) {
		f.list = append(f.list, n)
	}
}

var weights = map[Severity]int{Loses: 0, Alters: 1, Doubts: 2, Holds: 3, Unseen: 4}

// sorted is by severity, the worst first, then as found.
func (f *findings) sorted() []Finding {
	slices.SortStableFunc(f.list, func(a, b Finding) int { return cmp.Compare(weights[a.Severity], weights[b.Severity]) })
	return f.list
}
