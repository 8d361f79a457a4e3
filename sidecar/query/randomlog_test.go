package query_test

import (
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
)

// oddMeters have ids that could be taken for each other in the index: of the size of a
// kind's or a status' term, at the sizes where a varint grows, with other bytes in it.
var oddMeters = []string{
	"", "m", "m0", "m00", "m\x00", "\x00", "\x00\x00\x00d", "k", "\x04", "a b", "a,b", "=1+1", "ü", "\u202e", "\U0010ffff",
	strings.Repeat("x", 126), strings.Repeat("x", 127), strings.Repeat("x", 128), strings.Repeat("\x00", 256), strings.Repeat("long", 5000),
}

// randomLog records what comes, and knows by itself which meters a request has.
type randomLog struct {
	t      *testing.T
	r      *rand.Rand
	dir    string
	log    *auditlog.Log
	clock  atomic.Int64 // in milliseconds
	open   []uint64
	meters map[uint64][]string
	times  []uint64 // of the log's entries
}

func newRandomLog(t *testing.T, seed uint64) *randomLog {
	t.Helper()
	g := &randomLog{
		t: t, r: rand.New(rand.NewPCG(seed, 7)), dir: filepath.Join(t.TempDir(), "log"),
		meters: map[uint64][]string{},
	}
	g.clock.Store(beginMS)
	if _, err := auditlog.Create(g.dir, auditlog.Origin{Interval: 2 + g.r.Uint64N(30)}); err != nil {
		t.Fatal(err)
	}
	g.reopen()
	return g
}

func (g *randomLog) reopen() {
	g.t.Helper()
	var err error
	// Its clock stands, leaps, and goes back.
	g.log, err = auditlog.Open(g.dir, auditlog.Options{Now: func() time.Time { return time.UnixMilli(g.clock.Load()) }})
	if err != nil {
		g.t.Fatal(err)
	}
	g.open = nil // what was open is closed by that
}

func (g *randomLog) close() {
	g.t.Helper()
	if err := g.log.Close(g.t.Context()); err != nil {
		g.t.Fatal(err)
	}
}

func (g *randomLog) put(ev *logv1.Event) uint64 {
	g.t.Helper()
	switch g.r.IntN(6) {
	case 0:
		g.clock.Add(-int64(g.r.IntN(5000)))
	case 1, 2, 3:
		g.clock.Add(int64(g.r.IntN(2000)))
	}
	d, err := auditlog.NewDraft(ev)
	if err != nil {
		g.t.Fatal(err)
	}
	p, err := g.log.Append(d).Wait(g.t.Context())
	if err != nil {
		g.t.Fatal(err)
	}
	return p.Offset
}

func (g *randomLog) some(list []string, most int) []string {
	var some []string
	for range g.r.IntN(most + 1) {
		some = append(some, list[g.r.IntN(len(list))])
	}
	return some
}

// event records one event.
func (g *randomLog) event() {
	g.t.Helper()
	which, at := g.r.IntN(20), 0
	if len(g.open) > 0 {
		at = g.r.IntN(len(g.open))
	} else if which > 8 {
		which = 8
	}
	end := func() (of uint64) {
		of = g.open[at]
		g.open = slices.Delete(g.open, at, at+1)
		return of
	}
	switch {
	case which == 0:
		g.put(&logv1.Event{Kind: &logv1.Event_Gap{Gap: &logv1.Gap{Exchanges: 1}}})
	case which == 1:
		g.put(&logv1.Event{Kind: &logv1.Event_Start{Start: &logv1.Start{BootId: "b"}}})
	case which < 9:
		ids := g.some(oddMeters, 4)
		o := g.put(&logv1.Event{Kind: &logv1.Event_Request{Request: &logv1.Request{MeterIds: ids}}})
		g.open, g.meters[o] = append(g.open, o), ids
	case which == 9:
		g.put(&logv1.Event{Kind: &logv1.Event_Abort{Abort: &logv1.Abort{RequestOffset: end()}}})
	case which < 12:
		g.put(&logv1.Event{Kind: &logv1.Event_RequestPart{RequestPart: &logv1.RequestPart{RequestOffset: g.open[at]}}})
	case which < 14:
		g.put(&logv1.Event{Kind: &logv1.Event_ResponsePart{ResponsePart: &logv1.ResponsePart{RequestOffset: g.open[at]}}})
	default:
		status := []uint32{0, 99, 100, 199, 200, 200, 200, 404, 499, 500, 503, 599, 600, 999, 1000, 65535}[g.r.IntN(16)]
		out, err := proto.Marshal(&logv1.Output{Status: status, HasBody: true})
		if err != nil {
			g.t.Fatal(err)
		}
		if g.r.IntN(10) == 0 {
			out = []byte("\xff\xff")
		}
		g.put(&logv1.Event{Kind: &logv1.Event_Response{Response: &logv1.Response{RequestOffset: end(), Output: out}}})
	}
}

// orphans answer a request that is pruned. An index that was made before knows their
// meters, and one that was made since does not.
type orphans map[uint64]bool

func (o orphans) leftOutOf(offsets []uint64) []uint64 {
	return slices.DeleteFunc(offsets, func(offset uint64) bool { return o[offset] })
}

// entries are those of a view, read without an index.
func (g *randomLog) entries(v *auditlog.View) (list []stored, alone orphans) {
	g.t.Helper()
	alone, g.times = orphans{}, nil
	for e, err := range v.Entries(g.t.Context(), v.First(), v.Tip().Offset) {
		if err != nil {
			g.t.Fatal(err)
		}
		ev, err := e.Event()
		if err != nil {
			g.t.Fatal(err)
		}
		m := ev.ProtoReflect()
		field := m.WhichOneof(m.Descriptor().Oneofs().ByName("kind"))
		s := stored{offset: e.Offset, clockMS: ev.GetWallClockMs(), kind: auditlog.Kind(field.Number())}
		g.times = append(g.times, s.clockMS)
		if s.kind == auditlog.KindRequest {
			s.meters = g.meters[e.Offset]
		}
		inner := m.Get(field).Message()
		if of := inner.Descriptor().Fields().ByName("request_offset"); of != nil {
			request := inner.Get(of).Uint()
			s.meters = g.meters[request]
			alone[e.Offset] = request < v.First()
		}
		var out logv1.Output
		if proto.Unmarshal(ev.GetResponse().GetOutput(), &out) == nil {
			s.status = out.GetStatus()
		}
		list = append(list, s)
	}
	return list, alone
}
