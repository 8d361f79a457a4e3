package admin_test

import (
	"bytes"
	"slices"
	"testing"

	"google.golang.org/grpc/codes"

	auditv1 "verbatim/proto/verbatim/audit/v1"
	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/admin"
	"verbatim/sidecar/auditlog"
)

func TestStatusCountsWhatTheLogHolds(t *testing.T) {
	s := serve(t, func(o *admin.Options) {
		o.Profile, o.Ordering = logv1.Profile_PROFILE_FAIL_OPEN, logv1.Ordering_ORDERING_GLOBAL
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
	put(t, s.log, &logv1.Event{Kind: &logv1.Event_Gap{Gap: &logv1.Gap{Exchanges: 5}}})
	r, err := s.client.GetStatus(t.Context(), &auditv1.GetStatusRequest{})
	for err == nil && r.GetGaps() == 0 { // counted after it is acknowledged
		r, err = s.client.GetStatus(t.Context(), &auditv1.GetStatusRequest{})
	}
	if err != nil || r.GetGaps() != 1 || !r.GetWritable() || r.GetNotWritableReason() != "" ||
		r.GetProfile() != logv1.Profile_PROFILE_FAIL_OPEN || r.GetOrdering() != logv1.Ordering_ORDERING_GLOBAL ||
		!slices.Equal(r.GetCapturedAddresses(), []string{"192.0.2.1:10000"}) {
		t.Errorf("%v, %v", r, err)
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
	if err != nil || r.GetWritable() || r.GetNotWritableReason() != closed || r.GetEntries() != 0 {
		t.Errorf("%v, %v", r, err)
	}
}
