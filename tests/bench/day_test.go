package bench

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	auditv1 "verbatim/proto/verbatim/audit/v1"
	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/replay"
	"verbatim/replay/target"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/output"
	"verbatim/tests/mesh"
)

func TestMain(m *testing.M) {
	code := mesh.Main(m).Run()
	removeLoaded()
	os.Exit(code)
}

const (
	eventsPerSecond = 50
	realMinutes     = 10
	meters          = 200
	dayEvents       = 24 * 60 * 60 * eventsPerSecond
)

// BenchmarkReplayDay replays ten minutes of a recorded day of 50 events a second
// on one core, the pipeline and the log's verification on it too, and says how
// many times real time that is. The day is these ten minutes 144 times:
// extrapolated, not run.
func BenchmarkReplayDay(b *testing.B) {
	onOneCore(b)
	log := filepath.Join(b.TempDir(), "log")
	events := realMinutes * 60 * eventsPerSecond
	recordMinutes(b, log, events)
	for b.Loop() {
		fresh := mesh.StartTestPipeline(b, mesh.PipelineOptions{})
		v, err := auditlog.OpenReadOnly(log)
		if err != nil {
			b.Fatal(err)
		}
		began := time.Now()
		verdict, err := replay.Run(b.Context(), v, replay.Options{Target: dial(fresh.Addr)})
		took := time.Since(began)
		v.Close()
		if err != nil || verdict.GetResult() != auditv1.ReplayResult_REPLAY_RESULT_VERIFIED || verdict.GetCompared() != uint64(events) {
			b.Fatalf("replay: %v, %v", verdict, err)
		}
		recorded := time.Duration(verdict.GetRecordedMs()) * time.Millisecond
		b.ReportMetric(float64(recorded)/float64(took), "x_real_time")
		b.ReportMetric(float64(events)/took.Seconds(), "events/s")
		b.Logf("%d events recorded over %s replayed in %s, links checked first: %.0f times real time; a day of %d events, extrapolated: %s",
			events, recorded.Round(time.Second), took.Round(time.Millisecond), float64(recorded)/float64(took),
			dayEvents, (took * (dayEvents / time.Duration(events))).Round(time.Second))
	}
}

// onOneCore binds this process, and the pipelines that it starts, to one core, and
// lets it run one goroutine at a time, as it would where there is one.
func onOneCore(b *testing.B) {
	b.Helper()
	var all, one unix.CPUSet
	if err := unix.SchedGetaffinity(0, &all); err != nil {
		b.Fatal(err)
	}
	for cpu := range 1024 {
		if all.IsSet(cpu) {
			one.Set(cpu)
			break
		}
	}
	bind(b, &one)
	procs := runtime.GOMAXPROCS(1)
	b.Cleanup(func() { bind(b, &all); runtime.GOMAXPROCS(procs) })
}

// bind moves every thread of this process.
func bind(b *testing.B, set *unix.CPUSet) {
	b.Helper()
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		b.Fatal(err)
	}
	for _, t := range threads {
		id, err := strconv.Atoi(t.Name())
		if err != nil {
			b.Fatal(err)
		}
		if err := unix.SchedSetaffinity(id, set); err != nil {
			b.Fatal(err)
		}
	}
}

func dial(address string) func(string) (*target.Target, error) {
	return func(string) (*target.Target, error) { return target.New("http://"+address, target.Options{}) }
}

// recordMinutes makes a log as the capture would, with the real pipeline's
// answers, on a clock that moves on by 20 ms an event.
func recordMinutes(b *testing.B, dir string, events int) {
	b.Helper()
	if _, err := auditlog.Create(dir, auditlog.Origin{}); err != nil {
		b.Fatal(err)
	}
	clock := time.Now()
	l, err := auditlog.Open(dir, auditlog.Options{Now: func() time.Time { return clock }})
	if err != nil {
		b.Fatal(err)
	}
	pipeline := mesh.StartTestPipeline(b, mesh.PipelineOptions{})
	t, err := target.New("http://"+pipeline.Addr, target.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer t.Close()
	for i := range events {
		clock = clock.Add(time.Second / eventsPerSecond)
		recordEvent(b, l, t, i, clock)
	}
	if err := l.Close(context.Background()); err != nil {
		b.Fatal(err)
	}
}

// recordEvent asks the pipeline and appends both sides; only the answer is
// waited for.
func recordEvent(b *testing.B, l *auditlog.Log, t *target.Target, i int, clock time.Time) {
	b.Helper()
	body := mesh.Reading(i, meters)
	request := &target.Request{HasBody: true, Body: body, Headers: []*logv1.Header{
		field(":authority", "pipeline"), field(":path", "/v1/readings"), field(":method", "POST"), field(":scheme", "http"),
		field("content-type", "application/json"), field("content-length", strconv.Itoa(len(body))),
		field("x-verbatim-clock-ms", strconv.FormatInt(clock.UnixMilli(), 10)), field("x-verbatim-seed", strconv.Itoa(i*7919)),
	}}
	p := appendEvent(b, l, &logv1.Event{Kind: &logv1.Event_Request{Request: &logv1.Request{
		MeterIds: []string{mesh.MeterID(i % meters)}, Headers: request.Headers, HasBody: true, Body: body,
	}}})
	message, err := t.Do(b.Context(), request)
	if err != nil {
		b.Fatal(err)
	}
	c, err := output.Canonical(message, output.DefaultIgnorePolicy())
	if err != nil {
		b.Fatal(err)
	}
	placed, err := p.Wait(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	answer := appendEvent(b, l, &logv1.Event{Kind: &logv1.Event_Response{Response: &logv1.Response{
		RequestOffset: placed.Offset, Output: c.Output, IgnoredHeaders: c.Ignored,
	}}})
	if _, err := answer.Wait(b.Context()); err != nil {
		b.Fatal(err)
	}
}

func appendEvent(b *testing.B, l *auditlog.Log, ev *logv1.Event) *auditlog.Pending {
	b.Helper()
	d, err := auditlog.NewDraft(ev)
	if err != nil {
		b.Fatal(err)
	}
	return l.Append(d)
}

func field(name, value string) *logv1.Header {
	return &logv1.Header{Name: []byte(name), Value: fmt.Append(nil, value)}
}
