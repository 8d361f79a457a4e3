package auditlog

import (
	"bytes"
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"

	logv1 "verbatim/proto/verbatim/log/v1"
)

// events are one of each kind that a summary says more of.
func events() []*logv1.Event {
	return []*logv1.Event{
		{},
		{WallClockMs: 5, Kind: &logv1.Event_Gap{Gap: &logv1.Gap{Exchanges: 1}}},
		{WallClockMs: 1 << 60, Kind: &logv1.Event_Request{Request: &logv1.Request{MeterIds: []string{"a", "", "b"}, Body: []byte("b")}}},
		{Kind: &logv1.Event_Request{Request: &logv1.Request{}}},
		{Kind: &logv1.Event_Response{Response: &logv1.Response{RequestOffset: 7, Output: []byte{8, 0xc8, 1}}}},
		{Kind: &logv1.Event_Response{Response: &logv1.Response{IgnoredSpans: []*logv1.IgnoredSpan{{}}}}},
		{Kind: &logv1.Event_Abort{Abort: &logv1.Abort{RequestOffset: 1 << 40}}},
		{Kind: &logv1.Event_RequestPart{RequestPart: &logv1.RequestPart{RequestOffset: 3, Data: []byte("x")}}},
		{Kind: &logv1.Event_Checkpoint{Checkpoint: &logv1.Checkpoint{CheckpointId: 9, OpenRequests: []uint64{1, 2}}}},
	}
}

// FuzzSummarize: what a summary says of an event that can be decoded is what it
// holds, and Peek says the same.
func FuzzSummarize(f *testing.F) {
	for _, ev := range events() {
		raw, err := proto.Marshal(ev)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	s := Summary{Meters: [][]byte{[]byte("of another event")}}
	f.Fuzz(func(t *testing.T, raw []byte) {
		failed := s.Summarize(raw)
		kind, clock, err := Peek(raw)
		var ev logv1.Event
		if proto.Unmarshal(raw, &ev) != nil {
			return
		}
		if failed != nil {
			t.Errorf("%v: %v", &ev, failed)
			return
		}
		if err != nil || kind != s.Kind || clock != s.ClockMS {
			t.Errorf("peeked %s at %d, %v; the summary is %+v", kind, clock, err, s)
		}
		d := describe(&ev)
		if s.Kind != d.Kind || s.ClockMS != ev.GetWallClockMs() || s.RequestOffset != d.RequestOffset ||
			!bytes.Equal(s.Output, ev.GetResponse().GetOutput()) || s.Spans != (len(ev.GetResponse().GetIgnoredSpans()) > 0) {
			t.Errorf("%v: %+v", &ev, s)
		}
		if !slices.EqualFunc(s.Meters, ev.GetRequest().GetMeterIds(), func(a []byte, b string) bool { return string(a) == b }) {
			t.Errorf("meters %v: %q", &ev, s.Meters)
		}
	})
}

func TestWhatIsNoEventHasNoSummary(t *testing.T) {
	var s Summary
	for _, raw := range [][]byte{{0x80}, {0x22, 5, 1}, {0x22, 1, 0x80}, {0x22, 3, 0x0a, 1, 0xff}, {0x2a, 3, 0x12, 2, 0x80}} {
		if err := s.Summarize(raw); err == nil {
			t.Errorf("%x: %+v", raw, s)
		}
	}
}
