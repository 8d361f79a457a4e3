package admin_test

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	auditv1 "verbatim/proto/verbatim/audit/v1"
	retentionv1 "verbatim/proto/verbatim/retention/v1"
	"verbatim/sidecar/admin"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/chain"
)

// untilGone polls for the end of a file or a directory.
func untilGone(t *testing.T, path string) {
	t.Helper()
	for {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return
		}
		if t.Context().Err() != nil {
			t.Fatalf("%s stays", path)
		}
	}
}

func TestAnotherProcessGetsACopyAndGivesItBack(t *testing.T) {
	s := serve(t, nil)
	put(t, s.log, request("m"))
	if err := admin.WriteAddress(s.log.Dir(), s.addr, s.log.ID()); err != nil {
		t.Fatal(err)
	}
	path, captured, release, err := admin.HoldSnapshot(t.Context(), s.log.Dir())
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(captured, []string{"192.0.2.1:10000"}) {
		t.Errorf("captured %q", captured)
	}
	put(t, s.log, request("m")) // not in the copy
	v, err := auditlog.OpenReadOnly(path)
	if err != nil {
		t.Fatal(err)
	}
	if v.Tip().Offset != 1 || v.ID() != s.log.ID() {
		t.Errorf("copy of %s ends at %d", v.ID(), v.Tip().Offset)
	}
	v.Close()
	release()
	release()
	untilGone(t, path)
}

func TestTheServerNamesAnAbsolutePath(t *testing.T) {
	s := serve(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stream, err := s.client.HoldSnapshot(ctx, &auditv1.HoldSnapshotRequest{})
	if err != nil {
		t.Fatal(err)
	}
	m, err := stream.Recv()
	if err != nil || !filepath.IsAbs(m.GetPath()) {
		t.Fatalf("%v, %v", m, err)
	}
	if _, err := os.Stat(m.GetPath()); err != nil {
		t.Error(err)
	}
	cancel()
	untilGone(t, m.GetPath())
}

func TestNoSnapshotIsAClearSentence(t *testing.T) {
	dir := t.TempDir()
	fails := func(want error, parts ...string) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		path, _, release, err := admin.HoldSnapshot(ctx, dir)
		if !errors.Is(err, want) || path != "" || release != nil {
			t.Fatalf("%q, %v; want %v", path, err, want)
		}
		for _, p := range append(parts, "snapshot of "+dir+": ") {
			if !strings.Contains(err.Error(), p) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%v\nlacks %q", err, p)
			}
		}
	}
	names := func(addr string) {
		t.Helper()
		if err := admin.WriteAddress(dir, addr, chain.Hash{1}); err != nil {
			t.Fatal(err)
		}
	}
	fails(admin.ErrNoAddress, "there is no file "+filepath.Join(dir, "admin"))
	for line, part := range map[string]string{"\n": "is empty", "127.0.0.1:1\n": "doesn't say of which log"} {
		if err := os.WriteFile(filepath.Join(dir, "admin"), []byte(line), 0o600); err != nil {
			t.Fatal(err)
		}
		fails(admin.ErrNoAddress, part)
	}

	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	names(gone.Addr().String())
	gone.Close()
	fails(admin.ErrNoAnswer, "ask "+gone.Addr().String(), "connection refused")

	web := httptest.NewServer(nil)
	defer web.Close()
	names(web.Listener.Addr().String())
	fails(admin.ErrNoAnswer, "ask "+web.Listener.Addr().String())

	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	names(silent.Addr().String())
	fails(admin.ErrNoAnswer, "ask "+silent.Addr().String())

	other := serve(t, nil)
	names(other.addr)
	fails(admin.ErrOtherLog, "ask "+other.addr)
	for left := 1; left > 0; {
		list, err := os.ReadDir(filepath.Join(other.log.Dir(), "snapshots"))
		if err != nil {
			t.Fatal(err)
		}
		left = len(list)
	}

	closed := serve(t, nil)
	if err := closed.log.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	names(closed.addr)
	if _, _, _, err := admin.HoldSnapshot(t.Context(), dir); err == nil || errors.Is(err, admin.ErrNoAnswer) || !strings.Contains(err.Error(), "log was reopened") {
		t.Errorf("closed log: %v", err)
	}
}

// TestAnotherLogsPortIsNotAsked: what a killed process left in the log's directory can
// be the port of another log's by now. The id tells, and nothing is done there.
func TestAnotherLogsPortIsNotAsked(t *testing.T) {
	dir, other := t.TempDir(), serve(t, nil)
	if err := admin.WriteAddress(dir, other.addr, chain.Hash{1}); err != nil {
		t.Fatal(err)
	}
	if r, err := admin.Status(t.Context(), dir); !errors.Is(err, admin.ErrOtherLog) || r != nil || !strings.Contains(err.Error(), "it writes "+other.log.ID().String()) {
		t.Errorf("status %v, %v", r, err)
	}
	if r, err := admin.AnchorNow(t.Context(), dir); !errors.Is(err, admin.ErrOtherLog) {
		t.Errorf("anchor now %v, %v", r, err)
	}
	if err := admin.WriteAddress(dir, other.addr, other.log.ID()); err != nil {
		t.Fatal(err)
	}
	if r, err := admin.Status(t.Context(), dir); err != nil || !r.GetWritable() {
		t.Errorf("status %v, %v", r, err)
	}
}

// Whoever gives up can't know whether it is done all the same, and is told so.
func TestAChangeThatIsGivenUpIsSaidToBeOpen(t *testing.T) {
	s := serve(t, nil)
	if err := admin.WriteAddress(s.log.Dir(), s.addr, s.log.ID()); err != nil {
		t.Fatal(err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	dir, id := s.log.Dir(), s.log.ID()
	_, _, added := admin.AddHold(gone, dir, id[:], &retentionv1.Hold{Reason: "r"})
	_, removed := admin.RemoveHold(gone, dir, id[:], "h")
	_, pruned := admin.PruneNow(gone, dir, id[:])
	_, foreseen := admin.ForeseePrune(gone, dir, id[:])
	for says, err := range map[string]error{
		"a hold on " + dir + ": context canceled; look with verbatim hold list whether it is there":                added,
		"the removal of a hold on " + dir + ": context canceled; look with verbatim hold list whether it is there": removed,
		"pruning of " + dir + ": context canceled; what is in the chain already goes on":                           pruned,
		"the plan of pruning " + dir + ": context canceled":                                                        foreseen,
	} {
		if want := "ask " + s.addr + " for " + says; err == nil || err.Error() != want {
			t.Errorf("%v; want %s", err, want)
		}
	}
}

func TestTheAddressIsTheOwnersAlone(t *testing.T) {
	dir := t.TempDir()
	for _, addr := range []string{"127.0.0.1:1", "127.0.0.1:22"} {
		err := admin.WriteAddress(dir, addr, chain.Hash{})
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, "admin")
		info, err := os.Stat(path)
		if err != nil || info.Mode() != 0o600 {
			t.Fatalf("%v, %v", info, err)
		}
		if line, err := os.ReadFile(path); err != nil || string(line) != addr+" "+strings.Repeat("0", 64)+"\n" {
			t.Fatalf("%q, %v", line, err)
		}
	}
	for range 2 {
		if err := admin.RemoveAddress(dir); err != nil {
			t.Fatal(err)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("%v left, %v", left, err)
	}
	if err := admin.WriteAddress(filepath.Join(dir, "none"), "x", chain.Hash{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no directory: %v", err)
	}
}
