package e2e

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/tests/forge"
	"verbatim/tests/mesh"
	"verbatim/tests/soroban"
)

// get reads a page of the admin port.
func (a *anchoredSite) get(path string) string {
	a.t.Helper()
	response, err := http.Get("http://" + a.sidecar.Admin + path)
	if err != nil {
		a.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	return string(text)
}

// TestAnchoredSeed is the main job with anchoring on; then the log is rewritten, and
// cut off, by somebody who knows the format.
func TestAnchoredSeed(t *testing.T) {
	a := newAnchoredSite(t, 0)
	a.load(mesh.LoadOptions{Connections: 16, Events: 10_000, Meters: 200})
	live := a.settled()
	if live.Checkpoints < 20 || live.Confirmed == 0 || live.Confirmed+live.Covered != live.Checkpoints {
		t.Errorf("status %+v", live)
	}
	if fees := a.metric("verbatim_anchor_fees_stroops_total"); fees != float64(live.Fees) || fees == 0 {
		t.Errorf("the metric says %v stroops, the receipts %d", fees, live.Fees)
	}
	for name, want := range map[string]float64{
		"verbatim_anchor_lag_checkpoints": 0, "verbatim_anchor_lag_seconds": 0, "verbatim_anchor_alarm": 0,
	} {
		if got := a.metric(name); got != want {
			t.Errorf("%s is %v", name, got)
		}
	}
	metrics := a.get("/metrics")
	a.stop()
	a.run(0, append([]string{"anchor", "now", "--log", a.log}, a.sending()...)...)
	a.wantWhole()

	r := a.verifyAnchors(0, a.log)
	if !r.OK || r.Public.Rung != "ANCHORED" || r.Public.NotYet != 0 || r.Public.Through == nil || *r.Public.Through != r.Tip {
		t.Errorf("verify --anchors: %+v", r)
	}
	var claimed publicReport
	a.runJSON(0, &claimed, "verify", "--log", a.log, "--receipts")
	if !claimed.OK || claimed.Public.Rung != "CLAIMED" || claimed.Public.Through == nil || *claimed.Public.Through != r.Tip {
		t.Errorf("verify --receipts: %+v", claimed)
	}
	t.Run("rewritten", a.rewritten)
	t.Run("cut", a.cut)
	a.wantSecret(metrics)
}

// rewritten changes an answer and computes every hash again: the first checkpoint
// behind it that was published differs.
func (a *anchoredSite) rewritten(t *testing.T) {
	copied := filepath.Join(t.TempDir(), "log")
	if err := forge.Copy(a.log, copied); err != nil {
		t.Fatal(err)
	}
	response := findEntry(t, copied, 10_000, func(ev *logv1.Event) bool { return ev.GetResponse() != nil })
	if err := forge.Rewrite(copied, func(o uint64, ev *logv1.Event) error {
		if o == response {
			out := ev.GetResponse().GetOutput()
			out[len(out)-3] ^= 1
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if r := a.verify(0, copied); !r.OK {
		t.Errorf("a wholly rewritten log does not agree with itself: %v", r.Findings)
	}
	receipts, _ := a.receipts()
	trusted, first := uint64(0), receipts[0]
	for _, receipt := range receipts {
		if first = receipt; receipt.GetOffset() > response {
			break
		}
		trusted = receipt.GetOffset() + 1
	}
	r := a.verifyAnchors(1, copied)
	if r.OK || len(r.Public.Findings) == 0 {
		t.Fatalf("verify --anchors of a rewritten log: %+v", r)
	}
	f := r.Public.Findings[0]
	published := logHash(first.GetRoot())
	if f.Code != "anchored-root" || f.Offset != trusted || !strings.Contains(f.Text, published) || !strings.Contains(f.Text, entryHash(t, copied, first.GetOffset())) {
		t.Errorf("finding %+v, want offset %d and root %s", f, trusted, published)
	}
	var claimed publicReport
	a.runJSON(1, &claimed, "verify", "--log", copied, "--receipts")
	if claimed.OK || claimed.Public.Findings[0].Code != "anchored-root" {
		t.Errorf("verify --receipts of a rewritten log: %+v", claimed)
	}
}

// cut drops all behind a checkpoint in the middle.
func (a *anchoredSite) cut(t *testing.T) {
	copied := filepath.Join(t.TempDir(), "log")
	if err := forge.Copy(a.log, copied); err != nil {
		t.Fatal(err)
	}
	checkpoint := findEntry(t, copied, 10_000, func(ev *logv1.Event) bool { return ev.GetCheckpoint() != nil })
	if err := forge.Cut(copied, checkpoint); err != nil {
		t.Fatal(err)
	}
	if r := a.verify(0, copied); !r.OK {
		t.Errorf("a log that was cut off does not agree with itself: %v", r.Findings)
	}
	r := a.verifyAnchors(1, copied)
	if r.OK || r.Public.Findings[0].Code != "anchored-ahead" || r.Public.Findings[0].Offset != checkpoint+1 {
		t.Errorf("verify --anchors of a log that was cut off at %d: %+v", checkpoint, r.Public)
	}
}

// wantSecret wants the seed to be in nothing that verbatim wrote.
func (a *anchoredSite) wantSecret(metrics string) {
	a.t.Helper()
	if strings.Contains(metrics, a.seed) {
		a.t.Error("the metrics hold the seed")
	}
	err := filepath.WalkDir(a.dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		if strings.Contains(string(content), a.seed) {
			a.t.Errorf("%s holds the seed", path)
		}
		return err
	})
	if err != nil {
		a.t.Error(err)
	}
}

// TestRecordingDoesNotWaitForTheNetwork: a server that never answers holds up
// neither an exchange nor a stop.
func TestRecordingDoesNotWaitForTheNetwork(t *testing.T) {
	a := newAnchoredSite(t, 0, "--anchor.alarm-after", "1ms", "--seal.max-age", "200ms")
	a.proxy.Misbehave(soroban.AnyMethod, soroban.Hold, -1)
	a.load(mesh.LoadOptions{Connections: 16, Events: 2_000, Meters: 40})
	poll(t, "a request is held", func() (bool, error) { return a.proxy.Calls("getNetwork")+a.proxy.Calls("getLedgerEntries") > 0, nil })
	poll(t, "the alarm is raised", func() (bool, error) { return a.metric("verbatim_anchor_alarm") == 1, nil })
	a.load(mesh.LoadOptions{Connections: 16, Events: 500, Meters: 40})
	a.stop()
	if r := a.verify(0, a.log); r.Requests != 2_500 || r.Responses != r.Requests {
		t.Errorf("%+v", r)
	}
}

// TestRefusedAnchorSettings: what does not fit is said at the start, and nothing is
// written.
func TestRefusedAnchorSettings(t *testing.T) {
	a := prepareAnchoredSite(t, 0)
	tip := a.verify(0, a.log).Tip
	serve := func(want string, log string, args ...string) {
		t.Helper()
		args = append([]string{
			"serve", "--log", log, "--socket", a.socket(), "--admin", "127.0.0.1:0", "--pipeline.address", "127.0.0.1:1",
			"--anchor.rpc", a.proxy.URL(), "--anchor.max-fee", maxFee,
		}, args...)
		if out := a.run(2, args...); !strings.Contains(out, want) || strings.Contains(out, a.seed) {
			t.Errorf("serve %v: %s", args, out)
		}
	}
	open := filepath.Join(t.TempDir(), "open.key")
	if err := os.WriteFile(open, []byte(a.seed), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(open, 0o640); err != nil {
		t.Fatal(err)
	}
	serve("can be read or written by others (mode 0640)", a.log, "--anchor.key-file", open)
	serve("VERBATIM_ANCHOR_KEY is not set", a.log)
	plain := filepath.Join(t.TempDir(), "plain")
	if err := mesh.InitLog(t.Context(), a.verbatim, plain); err != nil {
		t.Fatal(err)
	}
	serve("genesis names no contract", plain, "--anchor.key-file", a.keyFile)
	if now := a.verify(0, a.log).Tip; now != tip {
		t.Errorf("the log went on from %d to %d", tip, now)
	}
}
