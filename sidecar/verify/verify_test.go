package verify_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"google.golang.org/protobuf/proto"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/chain"
	"verbatim/sidecar/verify"
	"verbatim/tests/forge"
)

const (
	aRequest    = 14 // offsets in the honest log
	aResponse   = 15
	aCheckpoint = 20
	newest      = 32 // the checkpoint of the clean stop
)

// honest makes a closed log of four windows: requests with their responses
// behind them, checkpoints at 10, 20, 30 and at the end.
func honest(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "log")
	if _, err := auditlog.Create(dir, auditlog.Origin{Interval: 10}); err != nil {
		t.Fatal(err)
	}
	l, err := auditlog.Open(dir, auditlog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	put := func(ev *logv1.Event) uint64 {
		d, err := auditlog.NewDraft(ev)
		if err != nil {
			t.Fatal(err)
		}
		p, err := l.Append(d).Wait(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return p.Offset
	}
	put(&logv1.Event{Kind: &logv1.Event_Start{Start: &logv1.Start{BootId: "b"}}})
	put(&logv1.Event{Kind: &logv1.Event_Gap{Gap: &logv1.Gap{Exchanges: 1}}})
	down, err := proto.Marshal(&logv1.Output{Status: 503, Body: []byte("down")})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 13 {
		o := put(&logv1.Event{Kind: &logv1.Event_Request{Request: &logv1.Request{MeterIds: []string{"m"}, Body: fmt.Append(nil, i)}}})
		out := fmt.Append(nil, "out ", i) // no status
		if o == aRequest {
			out = down
		}
		put(&logv1.Event{Kind: &logv1.Event_Response{Response: &logv1.Response{RequestOffset: o, Output: out}}})
	}
	if err := l.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	return dir
}

func check(t *testing.T, dir string, o verify.Options) *verify.Report {
	t.Helper()
	v, err := auditlog.OpenReadOnly(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	r, err := verify.Verify(t.Context(), v, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestAnHonestLogHasNoFindings(t *testing.T) {
	r := check(t, honest(t), verify.Options{})
	if !r.OK() || r.Entries != r.Tip+1 || r.Requests != 13 || r.Responses != 13 || r.Open != 0 || r.Gaps != 1 {
		t.Errorf("%+v", r)
	}
	if r.SealedThrough+1 != r.Tip {
		t.Errorf("sealed through %d, tip %d", r.SealedThrough, r.Tip)
	}
}

func TestTheBadOffsetIsNamed(t *testing.T) {
	flip := func(offset uint64, at int) func(string) error {
		return func(dir string) error { return forge.FlipBit(dir, offset, at) }
	}
	// A byte of the raw event changed and its event hash made to fit.
	refit := func(offset uint64) func(string) error {
		return func(dir string) error {
			return forge.EditValue(dir, offset, func(v []byte) {
				v[len(v)-9] ^= 1
				h := chain.EventHash(v[forge.RawAt:])
				copy(v[forge.EventHashAt:], h[:])
			})
		}
	}
	for name, c := range map[string]struct {
		forge func(string) error
		at    uint64
		code  verify.Code
	}{
		"raw bytes of a request":            {flip(aRequest, forge.RawAt+3), aRequest, verify.CodeEventHash},
		"raw bytes of an output":            {flip(aResponse, forge.RawAt+8), aResponse, verify.CodeEventHash},
		"raw bytes of a checkpoint":         {flip(aCheckpoint, forge.RawAt+12), aCheckpoint, verify.CodeEventHash},
		"raw bytes of the first entry":      {flip(0, forge.RawAt+5), 0, verify.CodeEventHash},
		"raw bytes of the newest entry":     {flip(newest, forge.RawAt+5), newest, verify.CodeEventHash},
		"an event hash":                     {flip(aRequest, forge.EventHashAt), aRequest, verify.CodeEventHash},
		"a previous hash":                   {flip(aRequest, forge.PrevEntryHashAt), aRequest, verify.CodeLink},
		"the first entry's previous hash":   {flip(0, forge.PrevEntryHashAt), 0, verify.CodeLink},
		"the newest entry's previous hash":  {flip(newest, forge.PrevEntryHashAt), newest, verify.CodeLink},
		"an output and its event hash":      {refit(aResponse), aResponse, verify.CodeLink},
		"a checkpoint and its event hash":   {refit(aCheckpoint), aCheckpoint, verify.CodeLink},
		"the one before the newest, refit":  {refit(newest - 1), newest - 1, verify.CodeLink},
		"the newest entry and its own hash": {refit(newest), newest, verify.CodeTip},
		"an entry removed":                  {func(d string) error { return forge.Remove(d, aRequest) }, aRequest, verify.CodeMissing},
		"the newest entry removed":          {func(d string) error { return forge.Remove(d, newest) }, newest, verify.CodeMissing},
	} {
		t.Run(name, func(t *testing.T) {
			dir := alone(t)
			if err := c.forge(dir); err != nil {
				t.Fatal(err)
			}
			named(t, dir, c.at, c.code)
		})
		t.Run(name+", packed", func(t *testing.T) {
			dir := honest(t)
			err := c.forge(dir)
			if errors.Is(err, forge.ErrNotStored) && c.code == verify.CodeEventHash {
				return // nothing is there to be forged
			}
			if err != nil {
				t.Fatal(err)
			}
			code := c.code
			if code == verify.CodeEventHash && c.at != newest { // which no block has yet
				code = verify.CodeLink
			}
			named(t, dir, c.at, code)
		})
	}
}

// alone is an honest log whose entries are not in blocks.
func alone(t *testing.T) string {
	t.Helper()
	dir := honest(t)
	if err := forge.Unpack(dir); err != nil {
		t.Fatal(err)
	}
	if r := check(t, dir, verify.Options{}); !r.OK() {
		t.Fatal(r.Findings)
	}
	return dir
}

func named(t *testing.T, dir string, at uint64, code verify.Code) {
	t.Helper()
	r := check(t, dir, verify.Options{})
	if r.OK() || r.Findings[0].Offset != at || r.Findings[0].Code != code {
		t.Errorf("findings %v; want %s at %d", r.Findings, code, at)
	}
	if r.Broken && r.Entries > at {
		t.Errorf("%d entries are said to be checked, and %d is bad", r.Entries, at)
	}
}

func TestForgedFootersAndOutcomesAreFound(t *testing.T) {
	checkpoint := func(edit func(*logv1.Checkpoint)) func(uint64, *logv1.Event) error {
		return func(o uint64, ev *logv1.Event) error {
			if o == aCheckpoint {
				edit(ev.GetCheckpoint())
			}
			return nil
		}
	}
	for name, c := range map[string]struct {
		edit func(uint64, *logv1.Event) error
		at   uint64
		code verify.Code
	}{
		"id":     {checkpoint(func(c *logv1.Checkpoint) { c.CheckpointId = 7 }), aCheckpoint, verify.CodeCheckpoint},
		"window": {checkpoint(func(c *logv1.Checkpoint) { c.FirstOffset++ }), aCheckpoint, verify.CodeCheckpoint},
		"count":  {checkpoint(func(c *logv1.Checkpoint) { c.OutputCount++ }), aCheckpoint, verify.CodeCheckpoint},
		"open":   {checkpoint(func(c *logv1.Checkpoint) { c.OpenRequests = []uint64{11} }), aCheckpoint, verify.CodeCheckpoint},
		"reason": {checkpoint(func(c *logv1.Checkpoint) { c.Reason = 0; c.EffectCount = 1 }), aCheckpoint, verify.CodeCheckpoint},
		"clock": {func(o uint64, ev *logv1.Event) error {
			if o == 1 {
				ev.WallClockMs = 1
			}
			return nil
		}, 1, verify.CodeClock},
		"response moved": {func(o uint64, ev *logv1.Event) error {
			if o == aResponse {
				ev.GetResponse().RequestOffset = 3
			}
			return nil
		}, aResponse, verify.CodeOutcome},
		"checkpoint replaced by a gap": {func(o uint64, ev *logv1.Event) error {
			if o == aCheckpoint {
				ev.Kind = &logv1.Event_Gap{Gap: &logv1.Gap{}}
			}
			return nil
		}, aCheckpoint, verify.CodeUnsealed},
	} {
		t.Run(name, func(t *testing.T) {
			dir := honest(t)
			if err := forge.Rewrite(dir, c.edit); err != nil {
				t.Fatal(err)
			}
			r := check(t, dir, verify.Options{})
			for _, f := range r.Findings {
				if f.Offset == c.at && f.Code == c.code {
					return
				}
			}
			t.Errorf("findings %v; want %s at %d", r.Findings, c.code, c.at)
		})
	}
}

func TestOnlyATrustedRootTellsARewrittenLog(t *testing.T) {
	dir := honest(t)
	before := check(t, dir, verify.Options{})
	trusted := verify.Options{Trusted: map[uint64]chain.Hash{before.Tip: before.ChainRoot}}
	if r := check(t, dir, trusted); !r.OK() || r.TrustedRoots != 1 {
		t.Errorf("an honest log and its root: %+v", r)
	}
	err := forge.Rewrite(dir, func(o uint64, ev *logv1.Event) error {
		if o == aResponse {
			ev.GetResponse().Output[0] ^= 1
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if r := check(t, dir, verify.Options{}); !r.OK() {
		t.Errorf("a wholly rewritten log agrees with itself, but: %v", r.Findings)
	}
	if r := check(t, dir, trusted); r.OK() || r.Findings[0].Code != verify.CodeTrustedRoot || r.Findings[0].Offset != before.Tip {
		t.Errorf("a rewritten log and the trusted root: %v", r.Findings)
	}
	beyond := verify.Options{Trusted: map[uint64]chain.Hash{before.Tip + 1: before.ChainRoot}}
	if r := check(t, dir, beyond); r.OK() {
		t.Error("a trusted root beyond the newest entry is no finding")
	}
}
