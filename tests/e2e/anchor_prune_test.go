package e2e

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/retention"
	"verbatim/tests/mesh"
	"verbatim/tests/soroban"
)

const (
	// dayEvents are a day's, of dayMeters that no other day has: so each day can be
	// replayed alone.
	dayEvents = 1000
	dayMeters = 20
	// keepDays is retention.keep, and aDayOn more than that.
	keepDays = "1d"
	aDayOn   = 25 * time.Hour
)

// prunedReport is what verify --json says of a pruned log.
type prunedReport struct {
	publicReport
	Pruned *struct {
		FirstOffset   uint64 `json:"first_offset"`
		Root          string `json:"root"`
		PruneOffset   uint64 `json:"prune_offset"`
		Policy        string `json:"policy"`
		Gone          uint64 `json:"gone"`
		Kept          uint64 `json:"kept"`
		Complete      bool   `json:"complete"`
		NotCarriedOut int    `json:"not_carried_out"`
	} `json:"pruned"`
}

// TestPruneBehindTheAnchor records days by the ledger's time, and the oldest goes: not
// before its prune entry is anchored, and nothing that is not anchored itself.
func TestPruneBehindTheAnchor(t *testing.T) {
	a := newAnchoredSite(t, 100, "--seal.max-age", "200ms", "--retention.keep", keepDays, "--retention.every", "1s")
	a.day(0)
	end := a.anchored()
	root, gone, kept := a.upTo(end)
	a.wantPlan("pruned so far    nothing", "would prune      nothing", "held back        by age, from offset 0 on: ")

	// The second day is as old by now, but nobody can publish it, nor the prune entry.
	a.proxy.Misbehave("sendTransaction", soroban.Drop, -1)
	a.day(1)
	a.advance(aDayOn)
	prune := a.underWay(end)
	a.wantPlan("pruned so far    nothing", fmt.Sprintf("held back        by anchor, from offset %d on: entries behind offset %d are not anchored yet", end+1, end))
	a.wantNothingPruned(2 * dayEvents)
	a.sidecar.Kill()
	a.startSidecar()
	if again := a.underWay(end); again != prune {
		t.Errorf("the prune entry was at %d, and after a restart it is at %d", prune, again)
	}
	a.wantNothingPruned(2 * dayEvents)
	before := a.disk()

	a.proxy.Behave()
	poll(t, "the first day is pruned", func() (bool, error) { return a.metric("verbatim_retention_first_offset") == float64(end), nil })
	poll(t, "its files are gone", func() (bool, error) { return a.metric("verbatim_retention_pruned_entries_total") > 0, nil })
	after, less := a.disk(), a.metric("verbatim_retention_reclaimed_bytes_total")
	t.Logf("%d octets on disk before, %d after, %v reclaimed", before, after, less)
	if after >= before || less <= 0 {
		t.Errorf("the log took %d octets on disk, and after its first day went %d; %v are said to be reclaimed", before, after, less)
	}
	a.day(2)
	a.anchored()
	a.stop()
	a.run(0, append([]string{"anchor", "now", "--log", a.log}, a.sending()...)...)

	a.wantReceiptBehind(prune)
	// An archive that is begun now is as good as the log.
	folder := t.TempDir()
	a.run(0, "archive", "--log", a.log, "--to", "file://"+folder)
	for _, log := range []string{a.log, "file://" + folder} {
		var r prunedReport
		a.runJSON(0, &r, "verify", "--log", log, "--anchors", "--rpc", a.node.URL(), "--contract", a.contract)
		if !r.OK || r.Public.Rung != "ANCHORED" || r.Public.NotYet != 0 || r.Public.Through == nil || *r.Public.Through != r.Tip || r.Requests != 2*dayEvents {
			t.Errorf("verify --anchors of %s: %+v", log, r.publicReport)
		}
		p := r.Pruned
		if p == nil || p.FirstOffset != end || p.Root != root || p.PruneOffset != prune || p.Gone != gone || p.Kept != kept || !p.Complete || p.NotCarriedOut != 0 {
			t.Fatalf("verify says %+v of what was pruned of %s; want offsets below %d with root %s by entry %d, %d gone and %d kept", p, log, end, root, prune, gone, kept)
		}
		if !strings.HasPrefix(p.Policy, "keep=24h0m0s clock=ledger cut=anchored kept=") {
			t.Errorf("policy %q", p.Policy)
		}
		a.wantReplay(log, end)
	}
}

// day sends a day's events.
func (a *anchoredSite) day(n int) {
	a.t.Helper()
	a.load(mesh.LoadOptions{Connections: 8, Events: dayEvents, Body: func(i int) []byte {
		meter := mesh.MeterID(n*dayMeters + i%dayMeters)
		return fmt.Appendf(nil, `{"meter_id":%q,"kwh":%d.500,"register":"1.8.0"}`, meter, 1+i%7)
	}})
}

// anchored waits until the newest entry is a checkpoint that is anchored, and returns
// its offset.
func (a *anchoredSite) anchored() (offset uint64) {
	a.t.Helper()
	poll(a.t, "all is sealed and anchored", func() (bool, error) {
		var s struct {
			Newest     uint64 `json:"newest_offset"`
			Checkpoint struct {
				Offset   uint64 `json:"offset"`
				Anchored bool   `json:"anchored"`
			} `json:"checkpoint"`
		}
		a.runJSON(0, &s, "status", "--log", a.log)
		offset = s.Checkpoint.Offset
		return offset == s.Newest && s.Checkpoint.Anchored, nil
	})
	return offset
}

// upTo reads the root of the checkpoint at an offset, and how many entries before it
// go and stay when the log is pruned there. The site is running.
func (a *anchoredSite) upTo(checkpoint uint64) (root string, gone, kept uint64) {
	a.t.Helper()
	copied := a.dir + "/copy"
	a.run(0, "backup", "--log", a.log, "--to", copied)
	eachEvent(a.t, copied, 0, func(e auditlog.Entry, ev *logv1.Event) bool {
		switch {
		case e.Offset >= checkpoint:
			root = e.Hash().String()
			return false
		case ev.GetGenesis() != nil, ev.GetStart() != nil, ev.GetCheckpoint() != nil:
			kept++
		default:
			gone++
		}
		return true
	})
	return root, gone, kept
}

func (a *anchoredSite) advance(d time.Duration) {
	a.t.Helper()
	if err := a.node.Advance(a.t.Context(), d, 1); err != nil {
		a.t.Fatal(err)
	}
}

func (a *anchoredSite) plan() string {
	a.t.Helper()
	return a.run(0, "prune", "--log", a.log, "--dry-run")
}

func (a *anchoredSite) wantPlan(lines ...string) {
	a.t.Helper()
	plan := a.plan()
	for _, want := range lines {
		if !strings.Contains(plan, want) {
			a.t.Errorf("the plan lacks %q:\n%s", want, plan)
		}
	}
}

var underWayLine = regexp.MustCompile(`under way        the prune entry at offset (\d+): offsets 0 to (\d+)\n`)

// underWay waits until a prune entry waits for its anchor, and returns its offset. It
// must order what is before the end to go.
func (a *anchoredSite) underWay(end uint64) (prune uint64) {
	a.t.Helper()
	poll(a.t, "a pruning is under way", func() (bool, error) {
		found := underWayLine.FindStringSubmatch(a.plan())
		if len(found) == 0 || found[1] == "0" {
			return false, nil
		}
		var last uint64
		if _, err := fmt.Sscan(found[1]+" "+found[2], &prune, &last); err != nil {
			return false, err
		}
		if last != end {
			return false, fmt.Errorf("the prune entry at %d is of offsets up to %d, want %d", prune, last, end)
		}
		return true, nil
	})
	return prune
}

// wantNothingPruned: every request is there, though some are ordered to go.
func (a *anchoredSite) wantNothingPruned(requests uint64) {
	a.t.Helper()
	var r prunedReport
	a.runJSON(0, &r, "verify", "--log", a.log)
	if !r.OK || r.Pruned != nil || r.Requests != requests || a.metric("verbatim_retention_first_offset") != 0 {
		a.t.Errorf("before the prune entry is anchored: %+v, pruned %+v", r.report, r.Pruned)
	}
}

func (a *anchoredSite) disk() uint64 {
	a.t.Helper()
	octets, err := retention.DiskUsage(a.log)
	if err != nil {
		a.t.Fatal(err)
	}
	return octets
}

// wantReceiptBehind: a root that covers an entry is on the contract.
func (a *anchoredSite) wantReceiptBehind(offset uint64) {
	a.t.Helper()
	list, _ := a.receipts()
	if len(list) == 0 || list[len(list)-1].GetOffset() <= offset {
		a.t.Errorf("no receipt covers entry %d", offset)
	}
}

// wantReplay replays what is behind the cut, and asks for what is before it.
func (a *anchoredSite) wantReplay(log string, first uint64) {
	a.t.Helper()
	v := a.replayInto(0, log, "", "--from", fmt.Sprint(first))
	if v.Result != "VERIFIED" || v.Compared != 2*dayEvents || v.OriginalRoot != v.ReplayRoot || v.FootersChecked == 0 || v.FootersEqual != v.FootersChecked {
		a.t.Errorf("replay of what is left: %+v", v)
	}
	out := a.run(2, "replay", "--log", log, "--target", "http://"+a.pipeline.Addr, "--from", "0", "--to", fmt.Sprint(first-1))
	if !strings.Contains(out, "pruned") {
		a.t.Errorf("replay of what was pruned: %s", out)
	}
}
