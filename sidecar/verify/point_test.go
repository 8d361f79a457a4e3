package verify_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/verify"
	"verbatim/tests/forge"
)

const longInterval = 100

// long is a closed log of several hundred entries. Each cut names a checkpoint up to
// which it was pruned. Requests are open whenever a window is sealed.
func long(t *testing.T, cuts ...uint64) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "log")
	if _, err := auditlog.Create(dir, auditlog.Origin{Interval: longInterval}); err != nil {
		t.Fatal(err)
	}
	extend(t, dir, 400)
	for _, id := range cuts {
		cut(t, dir, id)
	}
	return dir
}

func openLog(t *testing.T, dir string) *auditlog.Log {
	t.Helper()
	l, err := auditlog.Open(dir, auditlog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func record(t *testing.T, l *auditlog.Log, ev *logv1.Event) uint64 {
	t.Helper()
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

// extend records requests that overlap, and closes the log.
func extend(t *testing.T, dir string, requests int) {
	t.Helper()
	l := openLog(t, dir)
	var open []uint64
	for i := range requests {
		open = append(open, record(t, l, &logv1.Event{Kind: &logv1.Event_Request{Request: &logv1.Request{MeterIds: []string{fmt.Sprint("m", i%5)}}}}))
		if len(open) > 3 {
			record(t, l, &logv1.Event{Kind: &logv1.Event_Response{Response: &logv1.Response{RequestOffset: open[0]}}})
			open = open[1:]
		}
	}
	for _, o := range open {
		record(t, l, &logv1.Event{Kind: &logv1.Event_Response{Response: &logv1.Response{RequestOffset: o}}})
	}
	if err := l.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func cut(t *testing.T, dir string, id uint64) {
	t.Helper()
	l := openLog(t, dir)
	v, err := l.View()
	if err != nil {
		t.Fatal(err)
	}
	c, err := v.Checkpoint(id)
	v.Close()
	if err != nil {
		t.Fatal(err)
	}
	at := record(t, l, &logv1.Event{Kind: &logv1.Event_Prune{Prune: &logv1.Prune{LastOffset: c.Offset, Root: c.Root[:]}}})
	for _, step := range []error{l.CutSynced(t.Context(), at), l.ClearCut(t.Context()), l.Close(t.Context())} {
		if step != nil {
			t.Fatal(step)
		}
	}
}

func TestAPrunedLogIsVerifiedFromItsCut(t *testing.T) {
	for _, cuts := range [][]uint64{{0}, {3}, {1, 2, 5}} {
		dir := long(t, cuts...)
		r := check(t, dir, verify.Options{})
		want := (cuts[len(cuts)-1] + 1) * longInterval
		if !r.OK() || r.First != want || r.Cut.Offset != want || r.Entries != r.Tip-want+1 || r.OfPruned == 0 {
			t.Errorf("cuts %v: %+v", cuts, r)
		}
	}
}

func TestWhatACutRestsOnIsChecked(t *testing.T) {
	const at = 4 * longInterval
	for name, c := range map[string]struct {
		forge func(string) error
		at    uint64
		code  verify.Code
	}{
		"its root":              {edit("state", []byte("cut"), flipAt(9)), at, verify.CodeCut},
		"another checkpoint":    {edit("state", []byte("cut"), func(v []byte) []byte { copy(v, number(at+longInterval)); return v }), at + longInterval, verify.CodeCut},
		"no checkpoint":         {edit("state", []byte("cut"), func(v []byte) []byte { copy(v, number(at+7)); return v }), at + 7, verify.CodeCut},
		"a node of its tree":    {edit("tree", append([]byte{4}, number(24)...), flipAt(0)), at, verify.CodeTree},
		"a node of no entries":  {put("tree", append([]byte{9}, number(9)...), make([]byte, 32)), 0, verify.CodeTree},
		"another small node":    {put("tree", append([]byte{3}, number(60)...), make([]byte, 32)), 0, verify.CodeTree},
		"a node written short":  {edit("tree", append([]byte{4}, number(24)...), func(v []byte) []byte { return v[:5] }), at, verify.CodeTree},
		"a stored node's value": {edit("tree", append([]byte{8}, number(2)...), flipAt(3)), 767, verify.CodeTree},
		"a stored node removed": {remove("tree", append([]byte{8}, number(2)...)), 767, verify.CodeTree},
		"its checkpoint's bits": {func(dir string) error { return forge.FlipBit(dir, at, forge.RawAt+9) }, at, verify.CodeCut},
	} {
		t.Run(name, func(t *testing.T) {
			dir := long(t, 3)
			if err := c.forge(dir); err != nil {
				t.Fatal(err)
			}
			r := check(t, dir, verify.Options{})
			if !slices.ContainsFunc(r.Findings, func(f verify.Finding) bool { return f.Code == c.code && (c.at == 0 || f.Offset == c.at) }) {
				t.Errorf("findings %v; want %s at %d", r.Findings, c.code, c.at)
			}
		})
	}
}

// reached verifies a log and returns the checkpoints that can be reached. The newest
// always is; which others depends on how fast the indexes are read meanwhile.
func reached(t *testing.T, dir string) (points []verify.Point) {
	t.Helper()
	l := openLog(t, dir)
	v, err := l.View()
	if err != nil {
		t.Fatal(err)
	}
	list, err := v.Checkpoints(t.Context(), 0)
	for _, c := range list {
		nodes, bad := v.TreeNodes(c.Offset)
		err = errors.Join(err, bad)
		points = append(points, verify.Point{Offset: c.Offset, Root: c.Root, Nodes: nodes})
	}
	v.Close()
	if err = errors.Join(err, l.Close(t.Context())); err != nil {
		t.Fatal(err)
	}
	var told []verify.Point
	if r := check(t, dir, verify.Options{Reached: func(p verify.Point) { told = append(told, p) }}); !r.OK() {
		t.Fatal(r.Findings)
	}
	for _, p := range told {
		if !slices.ContainsFunc(points, func(q verify.Point) bool { return reflect.DeepEqual(p, q) }) {
			t.Errorf("reached %+v", p)
		}
	}
	if len(told) == 0 || told[len(told)-1].Offset != points[len(points)-1].Offset {
		t.Errorf("reached %d checkpoints of %d, and not the newest", len(told), len(points))
	}
	return points
}

func TestAVerificationGoesOnFromAnEarlierOne(t *testing.T) {
	dir := long(t)
	points := reached(t, dir)
	extend(t, dir, 200)
	all := check(t, dir, verify.Options{})
	for _, p := range points {
		r := check(t, dir, verify.Options{From: &p})
		if !r.OK() || r.First != p.Offset || r.Entries != all.Entries-p.Offset || r.ChainRoot != all.ChainRoot || r.OfPruned != 0 {
			t.Errorf("from %d: %+v", p.Offset, r)
		}
	}
}

// rewritten is a copy of a log whose first requests have other bodies, and all is computed again.
func rewritten(t *testing.T, dir string) string {
	t.Helper()
	copied := filepath.Join(t.TempDir(), "log")
	if err := forge.Copy(dir, copied); err != nil {
		t.Fatal(err)
	}
	err := forge.Rewrite(copied, func(o uint64, ev *logv1.Event) error {
		if o < 50 && ev.GetRequest() != nil {
			ev.GetRequest().Body = []byte("x")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return copied
}

func TestAnEarlierVerificationIsContradicted(t *testing.T) {
	dir := long(t)
	points := reached(t, dir)
	p := points[3]
	t.Run("rewritten", func(t *testing.T) {
		copied := rewritten(t, dir)
		if r := check(t, copied, verify.Options{}); !r.OK() {
			t.Fatal(r.Findings)
		}
		r := check(t, copied, verify.Options{From: &p})
		if r.OK() || r.Findings[0].Offset != p.Offset {
			t.Errorf("findings %v", r.Findings)
		}
	})
	t.Run("cut off", func(t *testing.T) {
		copied := filepath.Join(t.TempDir(), "log")
		if err := forge.Copy(dir, copied); err != nil {
			t.Fatal(err)
		}
		if err := forge.Cut(copied, p.Offset-longInterval); err != nil {
			t.Fatal(err)
		}
		r := check(t, copied, verify.Options{From: &p})
		if r.OK() || r.Findings[0].Code != verify.CodeTrustedRoot {
			t.Errorf("findings %v", r.Findings)
		}
	})
	t.Run("another tree", func(t *testing.T) {
		wrong := p
		wrong.Nodes = slices.Clone(p.Nodes)
		wrong.Nodes[0] = make([]byte, 32)
		if r := check(t, dir, verify.Options{From: &wrong}); r.OK() || r.Findings[0].Code != verify.CodeTree {
			t.Errorf("findings %v", r.Findings)
		}
	})
	t.Run("rewritten, and pruned behind it", func(t *testing.T) {
		copied := rewritten(t, dir)
		extend(t, copied, 1) // which stores the index again
		cut(t, copied, 5)
		if r := check(t, copied, verify.Options{}); !r.OK() {
			t.Fatal(r.Findings)
		}
		r := check(t, copied, verify.Options{From: &p})
		if r.OK() || r.Findings[0].Code != verify.CodeTrustedRoot || r.Findings[0].Offset != p.Offset {
			t.Errorf("findings %v", r.Findings)
		}
		elsewhere := p
		elsewhere.Offset-- // no checkpoint, so nothing stays there
		r = check(t, copied, verify.Options{From: &elsewhere})
		if r.OK() || r.Findings[0].Code != verify.CodeTrustedRoot || r.Findings[0].Offset != elsewhere.Offset {
			t.Errorf("findings %v", r.Findings)
		}
	})
	t.Run("pruned since", func(t *testing.T) {
		cut(t, dir, 5)
		if r := check(t, dir, verify.Options{From: &p}); !r.OK() || r.First != 6*longInterval {
			t.Errorf("%+v", r)
		}
	})
}

// A point behind an index that is wrong would hide it from the next verification.
func TestNoPointIsBehindAWrongIndex(t *testing.T) {
	const wrong = 2
	for name, spoil := range map[string]func(string) error{
		"a list removed": remove("terms", termKey("mm1", wrong)),
		"a list added":   put("terms", termKey("mx", wrong), []byte{1}),
	} {
		t.Run(name, func(t *testing.T) {
			dir := long(t)
			if err := spoil(dir); err != nil {
				t.Fatal(err)
			}
			r := check(t, dir, verify.Options{Reached: func(p verify.Point) {
				if p.Offset > wrong*longInterval {
					t.Errorf("reached %d", p.Offset)
				}
			}})
			if r.OK() || r.Findings[0].Code != verify.CodeIndex {
				t.Errorf("findings %v", r.Findings)
			}
		})
	}
}
