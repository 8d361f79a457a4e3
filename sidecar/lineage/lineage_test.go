package lineage_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/chain"
	"verbatim/sidecar/lineage"
	"verbatim/sidecar/verify"
	"verbatim/tests/forge"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newLog(t *testing.T, before *logv1.Predecessor) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "log")
	if _, err := auditlog.Create(dir, auditlog.Origin{Interval: 10, Predecessor: before}); err != nil {
		t.Fatal(err)
	}
	return dir
}

// record appends some entries; without a clean stop if stop is false.
func record(t *testing.T, dir string, n int) {
	t.Helper()
	l, err := auditlog.Open(dir, auditlog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for range n {
		d, err := auditlog.NewDraft(&logv1.Event{Kind: &logv1.Event_Gap{Gap: &logv1.Gap{Exchanges: 1}}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := l.Append(d).Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func view(t *testing.T, dir string) *auditlog.View {
	t.Helper()
	v, err := auditlog.OpenReadOnly(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(v.Close)
	return v
}

func last(t *testing.T, dir string) *logv1.Predecessor {
	t.Helper()
	v, err := auditlog.OpenReadOnly(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	p, err := lineage.Last(v)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestALinkHoldsOnlyToTheLogThatWasContinued(t *testing.T) {
	for name, c := range map[string]struct {
		after func(t *testing.T, old string) string // what is shown as the old log
		code  verify.Code                           // empty: the link holds
		text  string
		at    uint64
	}{
		"as it was": {after: func(_ *testing.T, old string) string { return old }},
		"it went on": {func(t *testing.T, old string) string { record(t, old, 3); return old },
			lineage.CodePredecessor, "went on after it was continued at offset 27: its newest entry is 31", 27},
		"its end was cut off": {func(t *testing.T, old string) string { must(t, forge.Cut(old, 24)); return old },
			lineage.CodePredecessor, "has no checkpoint with the root", 24},
		"it was rewritten": {func(t *testing.T, old string) string {
			must(t, forge.Rewrite(old, func(o uint64, ev *logv1.Event) error {
				if o == 5 {
					ev.GetGap().Exchanges = 9
				}
				return nil
			}))
			return old
		}, lineage.CodePredecessor, "has no checkpoint with the root", 27},
		"an entry was changed": {func(t *testing.T, old string) string { must(t, forge.FlipBit(old, 5, forge.RawAt+4)); return old },
			verify.CodeLink, "in the predecessor", 5},
		"another log": {func(t *testing.T, _ string) string { other := newLog(t, nil); record(t, other, 25); return other },
			lineage.CodePredecessor, "and this is log", 0},
	} {
		t.Run(name, func(t *testing.T) {
			old := newLog(t, nil)
			record(t, old, 24)
			link := lineage.Named(view(t, newLog(t, last(t, old))).Genesis())
			if link == nil {
				t.Fatal("no link")
			}
			if err := link.Check(t.Context(), view(t, c.after(t, old)), nil); err != nil {
				t.Fatal(err)
			}
			if c.code == "" {
				if len(link.Findings) > 0 || link.Report == nil || link.Report.Tip != 27 {
					t.Errorf("findings %v", link.Findings)
				}
				return
			}
			if len(link.Findings) == 0 || link.Findings[0].Code != c.code || link.Findings[0].Offset != c.at ||
				!strings.Contains(link.Findings[0].Text, c.text) {
				t.Errorf("findings %v, want %s at %d: %s", link.Findings, c.code, c.at, c.text)
			}
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestOnlyASealedLogIsContinued(t *testing.T) {
	empty := newLog(t, nil)
	v := view(t, empty)
	if _, err := lineage.Last(v); !errors.Is(err, lineage.ErrUnsealed) {
		t.Errorf("a log that is not sealed: %v", err)
	}
	if lineage.Named(v.Genesis()) != nil {
		t.Error("a log without a predecessor has a link")
	}
	odd := lineage.Named(&logv1.Genesis{Predecessor: &logv1.Predecessor{LogId: make([]byte, chain.Size), ChainRoot: []byte("x")}})
	if odd == nil || len(odd.Findings) != 1 {
		t.Errorf("a root that is none: %+v", odd)
	}
}
