package query

import (
	"fmt"
	"strconv"
	"strings"

	"verbatim/sidecar/auditlog"
)

// Status is how a request ended: with a response of one status or of a class of
// them, or with an abort. A request that is still open has none, and no entry
// tells of it. Its zero value is status 0, which no response has.
type Status struct {
	first, last uint32
	abort       bool
}

// aborted is the name of the status of an abort.
const aborted = "abort"

// The statuses that a response can have.
const (
	minStatus = 100
	maxStatus = 1<<16 - 1
)

// ParseStatus reads "503", "5xx" or "abort".
func ParseStatus(text string) (Status, error) {
	if text == aborted {
		return Status{abort: true}, nil
	}
	if class, ok := strings.CutSuffix(text, "xx"); ok && len(class) == 1 && class[0] >= '1' && class[0] <= '9' {
		first := uint32(class[0]-'0') * 100
		return Status{first: first, last: first + 99}, nil
	}
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil || n < minStatus || n > maxStatus {
		return Status{}, fmt.Errorf("%q is no status: want a number from %d on such as 503, a class such as 5xx, or %s", text, minStatus, aborted)
	}
	return Status{first: uint32(n), last: uint32(n)}, nil
}

// ParseStatuses reads a list of them.
func ParseStatuses(texts []string) (list []Status, err error) {
	for _, text := range texts {
		s, err := ParseStatus(text)
		if err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	return list, nil
}

// String is what ParseStatus reads.
func (s Status) String() string {
	switch {
	case s.abort:
		return aborted
	case s.first != s.last:
		return fmt.Sprintf("%dxx", s.first/100)
	}
	return strconv.FormatUint(uint64(s.first), 10)
}

// appendTerms appends what the index has entries of this status under.
func (s Status) appendTerms(terms []auditlog.Term, v *auditlog.View) ([]auditlog.Term, error) {
	switch {
	case s.abort:
		return append(terms, auditlog.KindTerm(auditlog.KindAbort)), nil
	case s.first == s.last:
		return append(terms, auditlog.StatusTerm(s.first)), nil
	}
	there, err := v.Statuses(s.first, s.last)
	for _, status := range there {
		terms = append(terms, auditlog.StatusTerm(status))
	}
	return terms, err
}
