package retention

import (
	"context"
	"encoding/binary"
	"errors"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	anchorv1 "verbatim/proto/verbatim/anchor/v1"
	logv1 "verbatim/proto/verbatim/log/v1"
	retentionv1 "verbatim/proto/verbatim/retention/v1"
	"verbatim/sidecar/auditlog"
)

// archived is an archive that says one thing.
type archived struct {
	through uint64
	ok      bool
	err     error
}

func (a archived) ArchivedThrough(context.Context) (uint64, []byte, bool, error) {
	return a.through, []byte("digest"), a.ok, a.err
}

// planned is the plan of a site now.
func (s *site) planned(keep time.Duration, counted, ledger time.Duration, archive Archive) *Plan {
	s.t.Helper()
	v := s.view()
	defer v.Close()
	now := Moment{Counted: counted}
	if ledger > 0 {
		now.Ledger = time.Unix(0, 0).Add(ledger)
	}
	p := planner{view: v, keep: keep, now: now, archive: archive}
	plan, err := p.run(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	return plan
}

// want compares a plan: through is the offset of its checkpoint, 0 for none, and held
// has a piece of each reason, with the rule before it.
func (p *Plan) want(t *testing.T, through uint64, held ...string) {
	t.Helper()
	got := uint64(0)
	if p.Through != nil {
		got = p.Through.Offset
	}
	ok := got == through && len(p.Held) == len(held)
	for i := 0; ok && i < len(held); i++ {
		ok = strings.Contains(string(p.Held[i].By)+": "+p.Held[i].Text, held[i])
	}
	if !ok {
		t.Errorf("through %d, held %+v; want %d, %q", got, p.Held, through, held)
	}
}

// mark keeps a mark that a checkpoint was there at a counted hour.
func (s *site) mark(id uint64, hour int) {
	s.t.Helper()
	r, err := record(markKey(id), &retentionv1.Mark{CheckpointId: id, CountedMs: uint64((time.Duration(hour) * time.Hour).Milliseconds())})
	if err != nil {
		s.t.Fatal(err)
	}
	if err := s.log.KeepSynced(s.t.Context(), r); err != nil {
		s.t.Fatal(err)
	}
}

// five is a log of five full windows, checkpoints 0 to 4 at 10, 20, 30, 40 and 50, and
// an open request behind them if one is wanted.
func five(t *testing.T, origin auditlog.Origin) *site {
	s := newSite(t, origin, hourly(day))
	s.meters = 4
	s.record(3)
	s.meters = 1
	s.record(20)
	if n := len(s.checkpoints()); n != 5 {
		t.Fatalf("%d checkpoints", n)
	}
	return s
}

func TestThePlanByCountedTime(t *testing.T) {
	t.Parallel()
	s := five(t, auditlog.Origin{})
	const h = time.Hour
	s.planned(10*h, 100*h, 0, nil).want(t, 0, "age: no checkpoint is 10h0m0s old yet")
	s.mark(0, 1)
	s.mark(2, 5)
	s.mark(4, 9)
	for _, c := range []struct {
		counted time.Duration
		through uint64
		held    []string
	}{
		{10 * h, 0, []string{"age: no checkpoint is 10h0m0s old yet"}},
		{11*h - 1, 0, []string{"age: no checkpoint"}},
		{11 * h, 10, []string{"age: entries behind offset 10 are not yet 10h0m0s old"}},
		{14 * h, 10, []string{"age: entries behind offset 10"}},
		{15 * h, 30, []string{"age: entries behind offset 30"}},
		{19 * h, 50, nil},
		{500 * h, 50, nil},
	} {
		s.planned(10*h, c.counted, 0, nil).want(t, c.through, c.held...)
	}
	s.planned(0, 500*h, 0, nil).want(t, 0, "forever: the keep time is 0")
	// What the ledger says is nothing to a log without an anchor.
	s.planned(10*h, 10*h, 1e6*h, nil).want(t, 0, "age: ")
}

func TestThePlanByHoldsRequestsAndArchive(t *testing.T) {
	t.Parallel()
	s := five(t, auditlog.Origin{})
	s.mark(4, 0)
	for name, c := range map[string]struct {
		hold    *retentionv1.Hold
		through uint64
		held    string
	}{
		"all":                      {holdAll("trial"), 0, " on all: trial"},
		"a meter from the start":   {holdMeter("m1"), 0, ` on meter "m1"`},
		"a meter that is all over": {holdMeter("m0"), 0, ` on meter "m0"`},
		"a meter that is unknown":  {holdMeter("other"), 50, ""},
		"a range":                  {holdRange(21, 29), 20, " on offsets 21 to 29"},
		"a range at a checkpoint":  {holdRange(20, 20), 10, " on offsets 20 to 20"},
		"a range of one":           {holdRange(49, 49), 40, " on offsets 49 to 49"},
		"a range from the start":   {holdRange(0, 5), 0, " on offsets 0 to 5"},
		"a range yet to come":      {holdRange(1000, 2000), 50, ""},
	} {
		id, _ := s.add(c.hold)
		held := []string{"hold: hold " + id + c.held}
		if c.held == "" {
			held = nil
		}
		t.Run(name, func(t *testing.T) { s.planned(1, time.Hour, 0, nil).want(t, c.through, held...) })
		s.remove(id)
	}
	for name, c := range map[string]struct {
		archive archived
		through uint64
		held    string
	}{
		"nothing archived":     {archived{}, 0, "archive: nothing is archived yet"},
		"no answer":            {archived{err: errors.New("away")}, 0, "archive: the archive does not answer: away"},
		"archived before":      {archived{29, true, nil}, 20, "archive: entries behind offset 29 are not archived yet"},
		"archived up to":       {archived{30, true, nil}, 30, "archive: entries behind offset 30"},
		"archived to its end":  {archived{50, true, nil}, 50, ""},
		"archived up to one's": {archived{49, true, nil}, 40, "archive: entries behind offset 49"},
	} {
		held := []string{c.held}
		if c.held == "" {
			held = nil
		}
		t.Run(name, func(t *testing.T) { s.planned(1, time.Hour, 0, c.archive).want(t, c.through, held...) })
	}
	open := s.wait(s.request())
	s.record(20)
	s.mark(8, 1)
	s.planned(1, 2*time.Hour, 0, nil).want(t, 50, "open: request ")
	s.wait(s.response(open))
	s.planned(1, 2*time.Hour, 0, nil).want(t, 90)
}

// place is where a test's log says that it is anchored.
var place = &logv1.Anchor{Network: "n", Contract: "C", Writer: "G"}

// receipt keeps a receipt of a checkpoint, in a ledger that closed at an hour.
func (s *site) receipt(id uint64, hour int, change func(*anchorv1.Receipt)) {
	s.t.Helper()
	c, logID := s.checkpoints()[id], s.log.ID()
	r := &anchorv1.Receipt{
		Network: "n", Contract: "C", LogId: logID[:], CheckpointId: id, Offset: c.Offset, Root: c.Root[:], ClosedAt: int64(hour) * 3600,
	}
	if change != nil {
		change(r)
	}
	value, err := proto.Marshal(r)
	if err != nil {
		s.t.Fatal(err)
	}
	key := binary.BigEndian.AppendUint64([]byte("anchor/receipt/"), id)
	if err := s.log.KeepSynced(s.t.Context(), auditlog.Record{Key: key, Value: value}); err != nil {
		s.t.Fatal(err)
	}
}

func TestThePlanByLedgerTime(t *testing.T) {
	t.Parallel()
	const h = time.Hour
	s := five(t, auditlog.Origin{Anchor: place})
	s.mark(4, 0)
	// However long it was counted: without a receipt nothing is old.
	s.planned(10*h, 1e6*h, 1e6*h, nil).want(t, 0, "anchor: nothing is anchored yet")
	s.receipt(0, 1, nil)
	s.receipt(2, 5, nil)
	s.receipt(3, 9, nil)
	notAnchored := "anchor: entries behind offset 40 are not anchored yet"
	for _, c := range []struct {
		ledger  time.Duration
		through uint64
		held    []string
	}{
		{0, 0, []string{"age: nothing was anchored 10h0m0s before the newest ledger known, closed at 1970-01-01T09:00:00Z", notAnchored}},
		{11*h - time.Second, 0, []string{"age: nothing", notAnchored}},
		{11 * h, 10, []string{"age: entries behind offset 10 are not yet 10h0m0s old, by the newest ledger known", notAnchored}},
		{15 * h, 30, []string{"age: entries behind offset 30", notAnchored}},
		{19 * h, 40, []string{notAnchored, "age: entries behind offset 40"}},
	} {
		s.planned(10*h, 0, c.ledger, nil).want(t, c.through, c.held...)
	}
	// The newest receipt's ledger is later than what a server says.
	s.planned(4*h, 0, 2*h, nil).want(t, 30, "age: ", notAnchored)
}

// A receipt that is not this log's stops all pruning.
func TestAReceiptThatDoesNotFitStopsPruning(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*anchorv1.Receipt){
		"another root":     func(r *anchorv1.Receipt) { r.Root[3] ^= 1 },
		"no root":          func(r *anchorv1.Receipt) { r.Root = nil },
		"another log":      func(r *anchorv1.Receipt) { r.LogId = make([]byte, 32) },
		"another offset":   func(r *anchorv1.Receipt) { r.Offset++ },
		"another contract": func(r *anchorv1.Receipt) { r.Contract = "D" },
		"another network":  func(r *anchorv1.Receipt) { r.Network = "m" },
		"no checkpoint":    func(r *anchorv1.Receipt) { r.CheckpointId = 99 },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := five(t, auditlog.Origin{Anchor: place})
			s.receipt(4, 1, change)
			v := s.view()
			defer v.Close()
			p := planner{view: v, keep: time.Hour, now: Moment{Ledger: time.Unix(1e9, 0)}}
			if plan, err := p.run(t.Context()); err == nil {
				t.Errorf("a plan all the same: %+v", plan)
			}
		})
	}
}

// What does not hold is not made to vanish.
func TestASurveyChecksTheChain(t *testing.T) {
	t.Parallel()
	s := five(t, auditlog.Origin{})
	v := s.view()
	defer v.Close()
	c, err := v.Checkpoint(3)
	if err != nil {
		t.Fatal(err)
	}
	found, err := survey(t.Context(), v, c)
	if err != nil || found.Entries != 36 || found.Stay != 5 || found.Kept != 5 || !found.Worth || found.Octets == 0 {
		t.Errorf("%+v, %v", found, err)
	}
	c.Root[7] ^= 1
	if _, err := survey(t.Context(), v, c); !errors.Is(err, ErrBroken) {
		t.Errorf("another root: %v", err)
	}
}
