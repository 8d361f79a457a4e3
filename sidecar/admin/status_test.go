package admin_test

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/testing/protocmp"

	auditv1 "verbatim/proto/verbatim/audit/v1"
	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/admin"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/gaps"
	"verbatim/sidecar/room"
)

func TestStatusCountsWhatTheLogHolds(t *testing.T) {
	s := serve(t, func(o *admin.Options) {
		o.Profile, o.Ordering, o.Position = logv1.Profile_PROFILE_FAIL_OPEN, logv1.Ordering_ORDERING_GLOBAL, logv1.Position_POSITION_UPSTREAM
	})
	open := map[uint64]bool{}
	check := func() {
		t.Helper()
		r, err := s.client.GetStatus(t.Context(), &auditv1.GetStatusRequest{})
		if err != nil {
			t.Fatal(err)
		}
		v, err := s.log.View()
		if err != nil {
			t.Fatal(err)
		}
		defer v.Close()
		checkpoints, err := v.Checkpoints(t.Context(), 0)
		if err != nil {
			t.Fatal(err)
		}
		tip, id := v.Tip(), v.ID()
		if r.GetEntries() != tip.Offset+1 || r.GetCheckpoints() != uint64(len(checkpoints)) ||
			!bytes.Equal(r.GetChainRoot(), tip.Hash[:]) || !bytes.Equal(r.GetLogId(), id[:]) {
			t.Errorf("at %d with %d checkpoints: %v", tip.Offset, len(checkpoints), r)
		}
		if r.GetOpenRequests() != uint64(len(open)) {
			t.Errorf("at %d: %d open requests, want %d", tip.Offset, r.GetOpenRequests(), len(open))
		}
		c := r.GetNewestCheckpoint()
		if (c == nil) != (len(checkpoints) == 0) {
			t.Errorf("the newest of %d checkpoints: %v", len(checkpoints), c)
		} else if c != nil {
			want := checkpoints[len(checkpoints)-1]
			if c.GetCheckpointId() != want.Checkpoint.GetCheckpointId() || c.GetStreamOffset() != want.Offset ||
				c.GetWallClockMs() != want.ClockMS || !bytes.Equal(c.GetRoot(), want.Root[:]) || c.Anchored != nil {
				t.Errorf("the newest checkpoint is %v, want %v", c, want)
			}
		}
	}
	check()
	// Each third request stays open for a while, some over several windows.
	for i := range uint64(40) {
		o := put(t, s.log, request("m"))
		if open[o] = true; i%3 > 0 {
			put(t, s.log, response(o))
			delete(open, o)
		}
		check()
		if i%7 == 6 {
			for o := range open {
				put(t, s.log, &logv1.Event{Kind: &logv1.Event_Abort{Abort: &logv1.Abort{RequestOffset: o}}})
				delete(open, o)
				break
			}
			check()
		}
	}
	r, err := s.client.GetStatus(t.Context(), &auditv1.GetStatusRequest{})
	if err != nil || !r.GetWritable() || r.GetNotWritableReason() != "" ||
		r.GetProfile() != logv1.Profile_PROFILE_FAIL_OPEN || r.GetOrdering() != logv1.Ordering_ORDERING_GLOBAL ||
		r.GetPosition() != logv1.Position_POSITION_UPSTREAM || !slices.Equal(r.GetCapturedAddresses(), []string{"192.0.2.1:10000"}) {
		t.Errorf("%v, %v", r, err)
	}
}

func TestStatusTellsWhatIsLostAndWhatIsInFlight(t *testing.T) {
	at := time.UnixMilli(1_772_359_200_000)
	inFlight := room.New(1000)
	s := serve(t, func(o *admin.Options) {
		o.Room = inFlight
		o.Untold = func() []gaps.Loss {
			return []gaps.Loss{{Witness: "sidecar", Reason: "fail open", Exchanges: 2, Since: at, Until: at.Add(time.Second)}}
		}
	})
	share, ok := inFlight.Take(30)
	if !ok {
		t.Fatal("no room")
	}
	defer share.Release()
	for range 2 {
		put(t, s.log, &logv1.Event{Kind: &logv1.Event_Gap{Gap: &logv1.Gap{Exchanges: 5, Witness: "envoy", SinceMs: 7}}})
	}
	r, err := s.client.GetStatus(t.Context(), &auditv1.GetStatusRequest{})
	if err != nil {
		t.Fatal(err)
	}
	want := &auditv1.Losses{
		Recorded:   []*auditv1.Loss{{Witness: "envoy", Exchanges: 10, SinceMs: 7}},
		Unrecorded: []*auditv1.Loss{{Witness: "sidecar", Reason: "fail open", Exchanges: 2, SinceMs: 1_772_359_200_000, UntilMs: 1_772_359_201_000}},
	}
	if d := cmp.Diff(want, r.GetLosses(), protocmp.Transform(), protocmp.IgnoreFields(&auditv1.Loss{}, "until_ms")); d != "" {
		t.Error(d)
	}
	if r.GetInFlightBytes() != 30 || r.GetInFlightLimitBytes() != 1000 {
		t.Errorf("%d of %d bytes in flight", r.GetInFlightBytes(), r.GetInFlightLimitBytes())
	}
}

// TestAStoppedLogTellsTheSame: but for what only a process knows.
func TestAStoppedLogTellsTheSame(t *testing.T) {
	s := serve(t, func(o *admin.Options) {
		o.Profile, o.Ordering, o.Position = logv1.Profile_PROFILE_OBSERVE, logv1.Ordering_ORDERING_NONE, logv1.Position_POSITION_UPSTREAM
	})
	for _, profile := range []logv1.Profile{logv1.Profile_PROFILE_STRICT, logv1.Profile_PROFILE_OBSERVE} {
		put(t, s.log, &logv1.Event{Kind: &logv1.Event_Start{Start: &logv1.Start{
			Profile: profile, Ordering: logv1.Ordering_ORDERING_NONE, Position: logv1.Position_POSITION_UPSTREAM,
		}}})
	}
	for range 2 * interval {
		put(t, s.log, request("m"))
	}
	put(t, s.log, &logv1.Event{Kind: &logv1.Event_Gap{Gap: &logv1.Gap{Exchanges: 5, Witness: "envoy", SinceMs: 7}}})
	if err := s.log.SealSynced(t.Context()); err != nil {
		t.Fatal(err)
	}
	want, err := s.client.GetStatus(t.Context(), &auditv1.GetStatusRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.log.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	v, err := auditlog.OpenReadOnly(s.log.Dir())
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	got, err := admin.ReadStatus(t.Context(), v)
	if err != nil {
		t.Fatal(err)
	}
	of := protocmp.IgnoreFields(&auditv1.GetStatusResponse{}, "writable", "captured_addresses", "retention", "in_flight_limit_bytes")
	if d := cmp.Diff(want, got, protocmp.Transform(), of); d != "" || got.GetOpenRequests() != 2*interval {
		t.Errorf("%d open requests: %s", got.GetOpenRequests(), d)
	}
}

func TestCheckpointsAreListed(t *testing.T) {
	s := serve(t, nil)
	for range 3 * interval {
		put(t, s.log, request("m"))
	}
	v, err := s.log.View()
	if err != nil {
		t.Fatal(err)
	}
	want, err := v.Checkpoints(t.Context(), 0)
	v.Close()
	if err != nil || len(want) != 3 {
		t.Fatalf("%v, %v", want, err)
	}
	for from := range uint64(5) {
		got, err := all(s.client.ListCheckpoints(t.Context(), &auditv1.ListCheckpointsRequest{FromId: from}))
		if err != nil || len(got) != max(0, 3-int(from)) {
			t.Fatalf("from %d: %v, %v", from, got, err)
		}
		for i, c := range got {
			w := want[int(from)+i]
			if c.GetStreamOffset() != w.Offset || c.GetWallClockMs() != w.ClockMS || !bytes.Equal(c.GetRoot(), w.Root[:]) ||
				c.GetCheckpoint().GetCheckpointId() != from+uint64(i) {
				t.Errorf("from %d: %v, want %v", from, c, w)
			}
		}
	}
}

func TestAClosedLogIsUnavailable(t *testing.T) {
	s := serve(t, nil)
	if err := s.log.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	const closed = "read log: log is not writable: log was reopened"
	_, err := all(s.client.QueryEntries(t.Context(), &auditv1.QueryEntriesRequest{}))
	wantStatus(t, err, codes.Unavailable, closed)
	_, err = all(s.client.ListCheckpoints(t.Context(), &auditv1.ListCheckpointsRequest{}))
	wantStatus(t, err, codes.Unavailable, closed)
	_, err = all(s.client.HoldSnapshot(t.Context(), &auditv1.HoldSnapshotRequest{}))
	wantStatus(t, err, codes.Unavailable, "make snapshot: "+auditlog.ErrReopened.Error())
	r, err := s.client.GetStatus(t.Context(), &auditv1.GetStatusRequest{})
	if err != nil || r.GetWritable() || r.GetNotWritableReason() != closed || r.GetEntries() != 0 || r.GetLosses().GetRecorded() != nil {
		t.Errorf("%v, %v", r, err)
	}
}
