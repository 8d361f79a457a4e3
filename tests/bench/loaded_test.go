package bench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/output"
	"verbatim/tests/mesh"
)

// Of the loaded log. entriesVariable sets how many entries it has.
const (
	entriesVariable = "VERBATIM_BENCH_ENTRIES"
	loadedEntries   = 10_000_000
	loadedMeters    = 10_000
	busyEvery       = 20  // one event in so many is the busy meter's
	rareStatus      = 418 // of one answer
	// inFlight bounds what waits for the log's writer.
	inFlight = 20_000
)

// The meters of the loaded log beside mesh.MeterID(0) to loadedMeters-1.
const (
	busyMeter = "meter-busy"
	rareMeter = "meter-rare" // of one event, in the middle
)

// loadedLog is a closed log of requests with their answers behind them.
type loadedLog struct {
	dir     string
	entries uint64
	raw     uint64 // octets of the events
	rare    uint64 // offset of the answer with the rare status
	took    time.Duration
}

var theLoaded struct {
	sync.Mutex
	parent string
	log    *loadedLog
}

// loaded is the log that the benchmarks of this process share. It is loaded once,
// by appending, on all cores, and not to be changed.
func loaded(b *testing.B) *loadedLog {
	b.Helper()
	theLoaded.Lock()
	defer theLoaded.Unlock()
	if theLoaded.log == nil {
		parent, err := os.MkdirTemp("", "verbatim-bench-") //nolint:usetesting // other benchmarks use it after this one
		if err != nil {
			b.Fatal(err)
		}
		theLoaded.parent = parent
		theLoaded.log = load(b, filepath.Join(parent, "log"), wantedEntries(b))
		l := theLoaded.log
		b.Logf("loaded %d entries of %d meters, %d octets each on average, in %s: %.0f entries/s",
			l.entries, loadedMeters, l.raw/l.entries, l.took.Round(time.Second), float64(l.entries)/l.took.Seconds())
	}
	return theLoaded.log
}

func removeLoaded() {
	if theLoaded.parent != "" {
		_ = os.RemoveAll(theLoaded.parent)
	}
}

func wantedEntries(b *testing.B) uint64 {
	b.Helper()
	text := os.Getenv(entriesVariable)
	if text == "" {
		return loadedEntries
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil || n < 10_000 {
		b.Fatalf("%s=%q: want a number of entries, 10000 or more", entriesVariable, text)
	}
	return n
}

// loader appends events without waiting for each.
type loader struct {
	b      *testing.B
	log    *auditlog.Log
	random *rand.Rand
	clock  atomic.Int64 // milliseconds since the Unix epoch
	next   uint64
	result *loadedLog
}

func load(b *testing.B, dir string, entries uint64) *loadedLog {
	b.Helper()
	if _, err := auditlog.Create(dir, auditlog.Origin{}); err != nil {
		b.Fatal(err)
	}
	l := &loader{b: b, random: rand.New(rand.NewPCG(1, 2)), next: 1, result: &loadedLog{dir: dir}}
	l.clock.Store(time.Now().UnixMilli())
	var err error
	if l.log, err = auditlog.Open(dir, auditlog.Options{Now: func() time.Time { return time.UnixMilli(l.clock.Load()) }}); err != nil {
		b.Fatal(err)
	}
	began := time.Now()
	for i := 0; l.next+2 < entries; i++ {
		meter, status := mesh.MeterID(i*7919%loadedMeters), 200
		switch {
		case l.result.rare == 0 && l.next >= entries/2:
			meter, status = rareMeter, rareStatus
		case i%busyEvery == 0:
			meter = busyMeter
		case l.random.IntN(100) == 0:
			status = 503
		case l.random.IntN(50) == 0:
			status = 404
		}
		l.exchange(i, meter, status)
	}
	if err := l.log.Close(context.Background()); err != nil {
		b.Fatal(err)
	}
	l.result.took = time.Since(began)
	l.result.entries = l.next + 1 // with the checkpoint of the stop
	return l.result
}

// exchange appends a request and its answer.
func (l *loader) exchange(i int, meter string, status int) {
	at := time.UnixMilli(l.clock.Add(10)).UTC()
	id := fmt.Sprintf("%016x-%08x", l.random.Uint64(), l.random.Uint32())
	kwh := float64(l.random.IntN(99_999_999)) / 1000
	body := fmt.Appendf(nil, `{"request_id":%q,"meter_id":%q,"at":%q,"kwh":%.3f,"volt":%.2f,"seq":%d}`,
		id, meter, at.Format(time.RFC3339Nano), kwh, 220+20*l.random.Float64(), i/loadedMeters)
	request := l.append(&logv1.Event{Kind: &logv1.Event_Request{Request: &logv1.Request{
		MeterIds: []string{meter}, HasBody: true, Body: body, Protocol: "HTTP/1.1", Headers: []*logv1.Header{
			field(":method", "POST"), field(":path", "/v1/readings"), field(":authority", "meters"), field("content-type", "application/json"),
			field("x-verbatim-clock-ms", strconv.FormatInt(at.UnixMilli(), 10)), field("x-verbatim-seed", strconv.FormatUint(l.random.Uint64(), 10)),
		},
	}}})
	answer := output.Message{
		Status: status, Headers: []*logv1.Header{field("content-type", "application/json")},
		Body: fmt.Appendf(nil, `{"request_id":%q,"meter_id":%q,"status":"settled","kwh":%.3f,"cost":%.4f,"balance":%.2f}`,
			id, meter, kwh, kwh*0.2931, 1000*l.random.NormFloat64()),
	}
	c, err := output.Canonical(answer, output.DefaultIgnorePolicy())
	if err != nil {
		l.b.Fatal(err)
	}
	if status == rareStatus {
		l.result.rare = l.next
	}
	l.append(&logv1.Event{Kind: &logv1.Event_Response{Response: &logv1.Response{
		RequestOffset: request, Output: c.Output, UpstreamAddress: "10.0.0.17:8080",
	}}})
}

// append returns the event's offset, which it knows before the entry is written:
// a checkpoint stands at each multiple of the interval.
func (l *loader) append(ev *logv1.Event) uint64 {
	d, err := auditlog.NewDraft(ev)
	if err != nil {
		l.b.Fatal(err)
	}
	if l.next%auditlog.DefaultInterval == 0 {
		l.next++
	}
	offset := l.next
	l.next++
	l.result.raw += uint64(len(d.Event))
	p := l.log.Append(d)
	if offset%inFlight == 1 {
		if placed, err := p.Wait(context.Background()); err != nil || placed.Offset != offset {
			l.b.Fatalf("entry %d is at %d: %v", offset, placed.Offset, err)
		}
	}
	return offset
}
