package e2e

import (
	"fmt"
	"path/filepath"
	"testing"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/tests/forge"
	"verbatim/tests/mesh"
)

// record sends events through Envoy, stops everything and returns the verified log.
func record(t *testing.T, o siteOptions, load mesh.LoadOptions) (*site, report) {
	t.Helper()
	s := newSite(t, o)
	s.load(load)
	s.stop()
	r := s.verify(0, s.log)
	if r.Requests != uint64(load.Events) || r.Responses != r.Requests || r.Open != 0 {
		t.Fatalf("recorded %d requests and %d responses of %d events, %d open", r.Requests, r.Responses, load.Events, r.Open)
	}
	return s, r
}

// TestSeed is the main job: record 10,000 events, replay them, equal roots in
// every footer and for the range; then every kind of tampering is named.
func TestSeed(t *testing.T) {
	const events = 10_000
	s, recorded := record(t, siteOptions{}, mesh.LoadOptions{Connections: 16, Events: events, Meters: 200})
	if want := recorded.Entries / 1000; recorded.Checkpoints < want {
		t.Errorf("%d checkpoints over %d entries", recorded.Checkpoints, recorded.Entries)
	}
	v := s.replayInto(0, s.log, "")
	if v.Result != "VERIFIED" || v.Compared != events || v.OriginalRoot != v.ReplayRoot || v.OriginalRoot == "" {
		t.Errorf("verdict %+v", v)
	}
	if v.FootersChecked != recorded.Checkpoints || v.FootersEqual != v.FootersChecked {
		t.Errorf("%d of %d footers equal, the log has %d checkpoints", v.FootersEqual, v.FootersChecked, recorded.Checkpoints)
	}
	middle := recorded.Tip / 2
	response := findEntry(t, s.log, middle, func(ev *logv1.Event) bool { return ev.GetResponse() != nil })
	checkpoint := findEntry(t, s.log, middle, func(ev *logv1.Event) bool { return ev.GetCheckpoint() != nil })
	for name, c := range map[string]struct {
		offset uint64
		at     int
	}{
		"raw bytes":     {middle, forge.RawAt + 40},
		"stored hash":   {middle, storedHash},
		"previous hash": {middle, forge.PrevEntryHashAt + 31},
		"output":        {response, forge.RawAt + 60},
		"checkpoint":    {checkpoint, forge.RawAt + 20},
	} {
		t.Run("one byte flipped in "+name, func(t *testing.T) { flipped(t, s, c.offset, c.at) })
	}
	t.Run("smart tamper", func(t *testing.T) { smartTamper(t, s, recorded, response) })
}

// storedHash is a byte of an entry's event hash.
const storedHash = forge.EventHashAt + 7

// flipped flips a byte in a copy: verify and replay must name its offset.
func flipped(t *testing.T, s *site, offset uint64, at int) {
	copied := filepath.Join(t.TempDir(), "log")
	if err := forge.Copy(s.log, copied); err != nil {
		t.Fatal(err)
	}
	if at == storedHash { // which a block does not have
		if err := forge.Unpack(copied); err != nil {
			t.Fatal(err)
		}
	}
	if err := forge.FlipBit(copied, offset, at); err != nil {
		t.Fatal(err)
	}
	r := s.verify(1, copied)
	if r.OK || r.Findings[0].Offset != offset {
		t.Errorf("verify found %v, flipped at %d", r.Findings, offset)
	}
	v := s.replayInto(1, copied, "")
	if v.Divergence == nil || v.Divergence.Kind != "chain-broken" || v.Divergence.FirstBadOffset != offset || v.Compared != 0 {
		t.Errorf("replay of a log flipped at %d: %+v", offset, v)
	}
}

// smartTamper changes one byte of an output and computes every later hash and
// footer again: the log agrees with itself, but not with the pipeline, and not
// with a root that was noted before.
func smartTamper(t *testing.T, s *site, recorded report, response uint64) {
	copied := filepath.Join(t.TempDir(), "log")
	if err := forge.Copy(s.log, copied); err != nil {
		t.Fatal(err)
	}
	err := forge.Rewrite(copied, func(o uint64, ev *logv1.Event) error {
		if o == response {
			out := ev.GetResponse().GetOutput()
			out[len(out)-3] ^= 1
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if r := s.verify(0, copied); !r.OK {
		t.Errorf("a wholly rewritten log does not agree with itself: %v", r.Findings)
	}
	v := s.replayInto(1, copied, "")
	if v.Divergence == nil || v.Divergence.Kind != "body" || v.Divergence.FirstBadOffset != response || len(v.Divergence.Diff) == 0 {
		t.Errorf("replay of a log rewritten at %d: %+v", response, v)
	}
	root := fmt.Sprintf("%d:%s", recorded.Tip, recorded.ChainRoot)
	if r := s.verify(0, s.log, "--trusted-root", root); !r.OK {
		t.Errorf("the honest log and its own root: %v", r.Findings)
	}
	if r := s.verify(1, copied, "--trusted-root", root); r.OK || r.Findings[0].Code != "trusted-root" {
		t.Errorf("the rewritten log and the root from before: %v", r.Findings)
	}
}
