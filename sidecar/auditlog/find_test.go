package auditlog_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
	"verbatim/tests/forge"
)

// found is what a look-up yields.
func found(t *testing.T, v *auditlog.View, q auditlog.Lookup) (offsets []uint64, err error) {
	t.Helper()
	for o, err := range v.Find(t.Context(), q) {
		if err != nil {
			return offsets, err
		}
		offsets = append(offsets, o)
	}
	return offsets, nil
}

// termsOf are the terms of each entry of a view, by the format alone.
func termsOf(t *testing.T, v *auditlog.View) [][]auditlog.Term {
	t.Helper()
	var all [][]auditlog.Term
	meters := map[uint64][]string{}
	for offset, ev := range events(t, v) {
		kind, _, err := auditlog.Peek(mustMarshal(t, ev))
		if err != nil {
			t.Fatal(err)
		}
		terms := []auditlog.Term{auditlog.KindTerm(kind)}
		of := uint64(offset)
		switch k := ev.GetKind().(type) {
		case *logv1.Event_Request:
			meters[of] = k.Request.GetMeterIds()
		case *logv1.Event_RequestPart:
			of = k.RequestPart.GetRequestOffset()
		case *logv1.Event_Abort:
			of = k.Abort.GetRequestOffset()
		case *logv1.Event_Response:
			of = k.Response.GetRequestOffset()
			var out logv1.Output
			if err := proto.Unmarshal(k.Response.GetOutput(), &out); err != nil {
				t.Fatal(err)
			}
			if out.GetStatus() != 0 {
				terms = append(terms, auditlog.StatusTerm(out.GetStatus()))
			}
		}
		for _, m := range meters[of] {
			terms = append(terms, auditlog.MeterTerm(m))
		}
		all = append(all, terms)
	}
	return all
}

func mustMarshal(t *testing.T, m proto.Message) []byte {
	t.Helper()
	b, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// fill appends n events of all kinds that a log takes; answers come late, often
// in a later window.
func fill(t *testing.T, l *auditlog.Log, r *rand.Rand, n int) {
	t.Helper()
	var open []uint64
	for range n {
		switch which := r.IntN(10); {
		case which < 4 || len(open) == 0:
			ids := []string{fmt.Sprint("m", r.IntN(4)), fmt.Sprint("n", r.IntN(3))}[:r.IntN(3)]
			open = append(open, put(t, l, request(ids...)).Offset)
		case which == 4:
			put(t, l, &logv1.Event{Kind: &logv1.Event_Gap{Gap: &logv1.Gap{Exchanges: 1}}})
		case which == 5:
			put(t, l, &logv1.Event{Kind: &logv1.Event_RequestPart{RequestPart: &logv1.RequestPart{RequestOffset: open[0]}}})
		case which == 6:
			put(t, l, &logv1.Event{Kind: &logv1.Event_Abort{Abort: &logv1.Abort{RequestOffset: open[0]}}})
			open = open[1:]
		default:
			status := []uint32{200, 200, 200, 404, 503, 0}[r.IntN(6)]
			put(t, l, response(open[0], string(mustMarshal(t, &logv1.Output{Status: status, HasBody: true}))))
			open = open[1:]
		}
	}
}

// lookups are combinations of sets of terms.
func lookups() [][][]auditlog.Term {
	meter, kind, status := auditlog.MeterTerm, auditlog.KindTerm, auditlog.StatusTerm
	none := auditlog.MeterTerm("nobody")
	return [][][]auditlog.Term{
		{{meter("m0")}},
		{{meter("m1"), meter("m2"), none, meter("n1")}},
		{{none}},
		{{}},
		{{kind(auditlog.KindCheckpoint)}},
		{{kind(auditlog.KindGenesis), kind(auditlog.KindGap)}},
		{{status(200)}},
		{{status(200), status(503), kind(auditlog.KindAbort)}},
		{{status(1 << 30)}},
		{{meter("m3"), meter("n0")}, {kind(auditlog.KindResponse), kind(auditlog.KindAbort)}},
		{{meter("m3"), meter("m1")}, {kind(auditlog.KindResponse)}, {status(404), status(503)}},
		{{kind(auditlog.KindRequest)}, {status(200)}},
		{{meter("n2")}, {}},
	}
}

// checkLookups compares all look-ups of a view with their definition.
func checkLookups(t *testing.T, v *auditlog.View) {
	t.Helper()
	all := termsOf(t, v)
	tip := v.Tip().Offset
	bounds := []uint64{0, 1, 9, 10, 11, tip / 2, tip - 1, tip, tip + 1, ^uint64(0)}
	for _, sets := range lookups() {
		for _, from := range bounds {
			for _, to := range bounds {
				var want []uint64
				for o := from; o <= min(to, tip); o++ {
					if !slices.ContainsFunc(sets, func(set []auditlog.Term) bool { return !meets(all[o], set) }) {
						want = append(want, o)
					}
				}
				for _, backward := range []bool{false, true} {
					got, err := found(t, v, auditlog.Lookup{AllOf: sets, From: from, To: to, Backward: backward})
					if err != nil || !slices.Equal(got, want) {
						t.Fatalf("%s in %d to %d, backward %t: %v, %v; want %v", sets, from, to, backward, got, err, want)
					}
					slices.Reverse(want)
				}
			}
		}
	}
	var statuses []uint32
	for _, s := range []uint32{200, 404, 503} {
		if slices.ContainsFunc(all, func(terms []auditlog.Term) bool { return slices.Contains(terms, auditlog.StatusTerm(s)) }) {
			statuses = append(statuses, s)
		}
	}
	for _, c := range []struct {
		first, last uint32
		want        []uint32
	}{{0, ^uint32(0), statuses}, {404, 404, statuses[1:2]}, {201, 599, statuses[1:]}, {504, ^uint32(0), nil}} {
		if got, err := v.Statuses(c.first, c.last); err != nil || !slices.Equal(got, c.want) {
			t.Errorf("statuses %d to %d: %v, %v; want %v", c.first, c.last, got, err, c.want)
		}
	}
}

func meets(terms, set []auditlog.Term) bool {
	return slices.ContainsFunc(terms, func(t auditlog.Term) bool { return slices.Contains(set, t) })
}

func TestALookUpIsWhole(t *testing.T) {
	dir := newLog(t, 10)
	l := open(t, dir, auditlog.Options{})
	r := rand.New(rand.NewPCG(1, 2))
	var early []*auditlog.View
	for range 6 {
		fill(t, l, r, 67)
		early = append(early, view(t, l))
	}
	for _, v := range early { // their windows are sealed and stored by now, or not
		checkLookups(t, v)
		v.Close()
	}
	closeLog(t, l)
	v, err := auditlog.OpenReadOnly(dir)
	if err != nil {
		t.Fatal(err)
	}
	checkLookups(t, v)
	checkpoints, err := v.Checkpoints(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	v.Close()
	// What a crash took of the index is built again, in the window's middle too.
	for _, stored := range []int{0, 1, len(checkpoints) / 2} {
		at := uint64(0)
		if stored > 0 {
			at = checkpoints[stored-1].Offset
		}
		state := binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, uint64(stored)), at)
		if err := forge.Put(dir, "state", []byte("indexed"), state); err != nil {
			t.Fatal(err)
		}
		if v, err = auditlog.OpenReadOnly(dir); err != nil {
			t.Fatal(err)
		}
		checkLookups(t, v)
		v.Close()
	}
}

func TestALookUpThatCannotBeMadeIsAnError(t *testing.T) {
	dir := newLog(t, 10)
	l := open(t, dir, auditlog.Options{})
	fill(t, l, rand.New(rand.NewPCG(3, 4)), 95)
	closeLog(t, l)
	for name, damage := range map[string]struct{ family, key, value string }{
		"a list":       {"terms", "\x02k\x04" + number(3), "\x80"},
		"a checkpoint": {"checkpoints", number(5), ""}, // the first that is looked at
	} {
		copied := dir + " " + name
		if err := forge.Copy(dir, copied); err != nil {
			t.Fatal(err)
		}
		if err := forge.Put(copied, damage.family, []byte(damage.key), []byte(damage.value)); err != nil {
			t.Fatal(err)
		}
		v, err := auditlog.OpenReadOnly(copied)
		if err != nil {
			t.Fatal(err)
		}
		for _, backward := range []bool{false, true} {
			q := auditlog.Lookup{AllOf: [][]auditlog.Term{{auditlog.KindTerm(auditlog.KindRequest)}}, From: 5, To: 85, Backward: backward}
			if _, err := found(t, v, q); !errors.Is(err, auditlog.ErrDamaged) {
				t.Errorf("%s, backward %t: %v", name, backward, err)
			}
		}
		v.Close()
	}
}

func number(n uint64) string { return string(binary.BigEndian.AppendUint64(nil, n)) }
