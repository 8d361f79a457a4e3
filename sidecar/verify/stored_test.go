package verify_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/chain"
	"verbatim/sidecar/verify"
	"verbatim/tests/forge"
)

// The windows of the honest log begin here.
var begins = []uint64{0, 10, 20, 30}

func number(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

// listKey is the key of the list of meter "m" in a window.
func listKey(window uint64) []byte { return termKey("mm", window) }

// termKey is the key of a term's list: a type, m, k or s, and the value.
func termKey(term string, window uint64) []byte {
	return append(append([]byte{byte(len(term))}, term...), number(window)...)
}

// edit changes one stored value.
func edit(family string, key []byte, change func(value []byte) []byte) func(string) error {
	return func(dir string) error {
		list, err := forge.Stored(dir, family)
		if err != nil {
			return err
		}
		at := slices.IndexFunc(list, func(r forge.Record) bool { return bytes.Equal(r.Key, key) })
		if at < 0 {
			return fmt.Errorf("no %s %x", family, key)
		}
		return forge.Put(dir, family, key, change(list[at].Value))
	}
}

func put(family string, key, value []byte) func(string) error {
	return func(dir string) error { return forge.Put(dir, family, key, value) }
}

func remove(family string, key []byte) func(string) error {
	return func(dir string) error {
		if err := edit(family, key, slices.Clone)(dir); err != nil {
			return err // it must be there
		}
		return forge.Delete(dir, family, key)
	}
}

// move gives the value of one key to another.
func move(family string, from, to []byte) func(string) error {
	return func(dir string) error {
		var value []byte
		err := edit(family, from, func(v []byte) []byte { value = v; return v })(dir)
		return errors.Join(err, forge.Put(dir, family, to, value), forge.Delete(dir, family, from))
	}
}

// both makes two changes.
func both(a, b func(string) error) func(string) error {
	return func(dir string) error { return errors.Join(a(dir), b(dir)) }
}

func flipAt(at int) func([]byte) []byte {
	return func(v []byte) []byte { v[at] ^= 1; return v }
}

// timeKey is the key of a window of the honest log in the index by time.
func timeKey(t *testing.T, dir string, window int) []byte {
	t.Helper()
	list, err := forge.Stored(dir, "times")
	if err != nil || len(list) != len(begins) {
		t.Fatalf("%d windows in the index by time, want %d: %v", len(list), len(begins), err)
	}
	return list[window].Key
}

func TestWhatIsStoredBesideTheEntriesIsChecked(t *testing.T) {
	entry := make([]byte, forge.RawAt+8)
	for name, c := range map[string]struct {
		forge func(string) error
		at    uint64
		code  verify.Code
		text  string
	}{
		"a checkpoint's record removed":   {remove("checkpoints", number(1)), 20, verify.CodeStoredFooter, "checkpoint 1 is not in"},
		"a checkpoint's record of offset": {edit("checkpoints", number(1), flipAt(7)), 20, verify.CodeStoredFooter, "for checkpoint 1"},
		"a Merkle node":                   {edit("checkpoints", number(0), flipAt(8)), 10, verify.CodeStoredFooter, "for checkpoint 0"},
		"a last Merkle node":              {edit("checkpoints", number(2), flipAt(8+3*chain.Size)), 30, verify.CodeStoredFooter, "for checkpoint 2"},
		"a Merkle node too many":          {edit("checkpoints", number(1), func(v []byte) []byte { return append(v, v[8:40]...) }), 20, verify.CodeStoredFooter, "for checkpoint 1"},
		"an empty record":                 {put("checkpoints", number(1), nil), 20, verify.CodeStoredFooter, "for checkpoint 1"},
		"a checkpoint's record moved":     {move("checkpoints", number(3), number(9)), newest, verify.CodeStoredFooter, "checkpoint 3 is not in"},
		"a record too many":               {put("checkpoints", number(9), number(14)), 14, verify.CodeStoredFooter, "checkpoint 9 at 14"},
		"a record of no entry":            {put("checkpoints", number(4), number(1<<40)), newest, verify.CodeStoredFooter, "checkpoint 4"},
		"a record that is none":           {put("checkpoints", []byte("x"), number(14)), newest, verify.CodeStoredFooter, "that is none"},

		"a list removed":              {remove("terms", listKey(1)), 10, verify.CodeIndex, `window 1 has no list of meter "m"`},
		"a list shortened":            {edit("terms", listKey(1), func(v []byte) []byte { return v[:len(v)-1] }), 10, verify.CodeIndex, `window 1 has another list of meter "m"`},
		"a list of nothing":           {put("terms", listKey(1), nil), 10, verify.CodeIndex, `window 1 has another list of meter "m"`},
		"a list written otherwise":    {edit("terms", listKey(0), func(v []byte) []byte { v[len(v)-1] |= 0x80; return append(v, 0) }), 0, verify.CodeIndex, `window 0 has another list`},
		"a list of another meter":     {put("terms", termKey("mn", 2), []byte{21}), 20, verify.CodeIndex, `window 2 has a list of meter "n", but its entries give none`},
		"a list of no window":         {put("terms", listKey(4), []byte{newest}), newest, verify.CodeIndex, "lists of 1 windows that are not sealed"},
		"a list that is none":         {put("terms", []byte("xyz"), []byte{1}), newest, verify.CodeIndex, "something that is no list"},
		"a list moved":                {move("terms", listKey(2), termKey("mn", 2)), 20, verify.CodeIndex, `window 2 has no list of meter "m"`},
		"a kind's list removed":       {remove("terms", termKey("k\x0a", 3)), 30, verify.CodeIndex, "window 3 has no list of kind checkpoint"},
		"a kind's list shortened":     {edit("terms", termKey("k\x04", 0), func(v []byte) []byte { return v[:len(v)-1] }), 0, verify.CodeIndex, "window 0 has another list of kind request"},
		"a list of a kind that isn't": {put("terms", termKey("k\x08", 1), []byte{15}), 10, verify.CodeIndex, "window 1 has a list of kind abort, but its entries give none"},
		"a status' list removed":      {remove("terms", termKey("s\x00\x00\x01\xf7", 1)), 10, verify.CodeIndex, "window 1 has no list of status 503"},
		"a status' list changed":      {edit("terms", termKey("s\x00\x00\x01\xf7", 1), flipAt(0)), 10, verify.CodeIndex, "window 1 has another list of status 503"},
		"a status' list moved":        {move("terms", termKey("s\x00\x00\x01\xf7", 1), termKey("s\x00\x00\x00\xc8", 1)), 10, verify.CodeIndex, "window 1 has no list of status 503"},
		"two terms' lists removed":    {both(remove("terms", listKey(2)), remove("terms", termKey("k\x05", 2))), 20, verify.CodeIndex, "window 2 has no list of kind response and 1 other terms"},
		"a list of a strange term":    {put("terms", termKey("xy", 2), []byte{21}), 20, verify.CodeIndex, "window 2 has a list of unknown term"},
		"the index is said longer":    {put("state", []byte("indexed"), append(number(5), number(40)...)), newest, verify.CodeIndex, "up to window 5"},
		"the index is said to shift":  {put("state", []byte("indexed"), append(number(4), number(31)...)), newest, verify.CodeIndex, "at offset 31"},
		"a list changed behind the index": {
			both(put("state", []byte("indexed"), append(number(1), number(10)...)), edit("terms", listKey(2), flipAt(0))),
			20, verify.CodeIndex, "window 2 has another list",
		},

		"an entry behind the newest": {put("entries", number(newest+1), entry), newest + 1, verify.CodeTip, "behind the newest entry"},
		"an entry far behind it":     {put("entries", number(1<<40), entry), newest + 1, verify.CodeTip, "behind the newest entry"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := honest(t)
			if err := c.forge(dir); err != nil {
				t.Fatal(err)
			}
			wantFirst(t, dir, c.at, c.code, c.text)
		})
	}
}

func wantFirst(t *testing.T, dir string, at uint64, code verify.Code, text string) {
	t.Helper()
	r := check(t, dir, verify.Options{})
	if r.OK() || r.Findings[0].Offset != at || r.Findings[0].Code != code || !strings.Contains(r.Findings[0].Text, text) {
		t.Errorf("findings %v; want %s at %d: ...%s", r.Findings, code, at, text)
	}
}

func TestTheIndexByTimeIsChecked(t *testing.T) {
	for name, c := range map[string]struct {
		forge func(key []byte) func(string) error
		text  string
	}{
		"removed":  {func(key []byte) func(string) error { return remove("times", key) }, "has no window 2"},
		"offset":   {func(key []byte) func(string) error { return edit("times", key, flipAt(7)) }, "window 2 other offsets than 20 to 29"},
		"cut":      {func(key []byte) func(string) error { return edit("times", key, func(v []byte) []byte { return v[:8] }) }, "window 2 other offsets"},
		"clock":    {func(key []byte) func(string) error { return move("times", key, flipAt(0)(slices.Clone(key))) }, "has no window 2"},
		"too many": {func(key []byte) func(string) error { return put("times", flipAt(0)(slices.Clone(key)), nil) }, "window 2 has 2 places"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := honest(t)
			if err := c.forge(timeKey(t, dir, 2))(dir); err != nil {
				t.Fatal(err)
			}
			wantFirst(t, dir, begins[2], verify.CodeIndex, c.text)
		})
	}
	dir := honest(t)
	if err := forge.Put(dir, "times", []byte("odd"), nil); err != nil {
		t.Fatal(err)
	}
	wantFirst(t, dir, newest, verify.CodeIndex, "1 of the places in the index by time")
}

// What the indexer has not stored yet, or a crash took, is no finding: it is
// built again.
func TestAnIndexThatEndsEarlierIsNoFinding(t *testing.T) {
	for _, indexed := range []int{0, 2} {
		dir := honest(t)
		times, err := forge.Stored(dir, "times")
		if err != nil {
			t.Fatal(err)
		}
		lists, err := forge.Stored(dir, "terms")
		if err != nil {
			t.Fatal(err)
		}
		for window := indexed; window < len(begins); window++ {
			if err := forge.Delete(dir, "times", times[window].Key); err != nil {
				t.Fatal(err)
			}
			for _, list := range lists {
				if bytes.HasSuffix(list.Key, number(uint64(window))) {
					if err := forge.Delete(dir, "terms", list.Key); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
		state := append(number(uint64(indexed)), number(begins[indexed])...)
		if err := forge.Put(dir, "state", []byte("indexed"), state); err != nil {
			t.Fatal(err)
		}
		if r := check(t, dir, verify.Options{}); !r.OK() {
			t.Errorf("an index of %d windows: %v", indexed, r.Findings)
		}
	}
}

func TestAPolicyThatIsNotItsDigestsIsFound(t *testing.T) {
	text := []byte(`{"version":1}`)
	digest := chain.EventHash(text)
	honestPolicy := func() *logv1.Policy { return &logv1.Policy{Version: 1, Text: text, Sha256: digest[:]} }
	for name, c := range map[string]struct {
		change func(*logv1.Start)
		ok     bool
	}{
		"both fit":        {func(*logv1.Start) {}, true},
		"a capture text":  {func(s *logv1.Start) { s.CapturePolicy.Text = []byte("{}") }, false},
		"an ignore text":  {func(s *logv1.Start) { s.IgnorePolicy.Text = nil }, false},
		"a digest":        {func(s *logv1.Start) { s.CapturePolicy.Sha256 = make([]byte, chain.Size) }, false},
		"a digest is not": {func(s *logv1.Start) { s.IgnorePolicy.Sha256 = nil }, false},
	} {
		t.Run(name, func(t *testing.T) {
			dir := honest(t)
			err := forge.Rewrite(dir, func(o uint64, ev *logv1.Event) error {
				if o == 1 {
					ev.GetStart().CapturePolicy, ev.GetStart().IgnorePolicy = honestPolicy(), honestPolicy()
					c.change(ev.GetStart())
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if !c.ok {
				wantFirst(t, dir, 1, verify.CodePolicy, "SHA-256 of the")
			} else if r := check(t, dir, verify.Options{}); !r.OK() {
				t.Errorf("honest policies: %v", r.Findings)
			}
		})
	}
}

func TestALostGenesisIsNamed(t *testing.T) {
	damage := func(change func(v []byte)) func(string) error {
		return func(dir string) error { return forge.EditValue(dir, 0, change) }
	}
	for name, c := range map[string]struct {
		forge func(string) error
		code  verify.Code
	}{
		"no protobuf":    {damage(func(v []byte) { v[forge.RawAt+1] = 0xff }), verify.CodeEventHash},
		"no genesis":     {damage(func(v []byte) { v[forge.RawAt] = 0x42 }), verify.CodeEventHash},
		"another":        {damage(func(v []byte) { copy(v[forge.RawAt:], "\x12\x00") }), verify.CodeEventHash},
		"its event hash": {damage(func(v []byte) { v[0] ^= 1 }), verify.CodeEventHash},
		"cut":            {put("entries", number(0), []byte("short")), verify.CodeUnreadable},
		"removed":        {func(dir string) error { return forge.Remove(dir, 0) }, verify.CodeMissing},
	} {
		t.Run(name, func(t *testing.T) {
			dir := alone(t)
			if err := c.forge(dir); err != nil {
				t.Fatal(err)
			}
			wantFirst(t, dir, 0, c.code, "")
			if r := check(t, dir, verify.Options{}); !r.Broken || r.Entries != 0 {
				t.Errorf("%d entries checked, broken %v", r.Entries, r.Broken)
			}
		})
	}
}

func TestAWholeGenesisOfAnotherVersionIsRefused(t *testing.T) {
	dir := honest(t)
	err := forge.Rewrite(dir, func(o uint64, ev *logv1.Event) error {
		if o == 0 {
			ev.GetGenesis().FormatVersion = 7
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if v, err := auditlog.OpenReadOnly(dir); !errors.Is(err, auditlog.ErrVersion) {
		if err == nil {
			v.Close()
		}
		t.Errorf("a log of version 7 opens: %v", err)
	}
	// The same version in bytes that are not the recorded ones is damage.
	if err := forge.EditValue(dir, 0, func(v []byte) { v[0] ^= 1 }); err != nil {
		t.Fatal(err)
	}
	wantFirst(t, dir, 0, verify.CodeEventHash, "SHA-256 of the event")
}

// A log is verified while it is written: then the store is ahead of the view.
func TestALogInUseHasNoFindings(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "log")
	if _, err := auditlog.Create(dir, auditlog.Origin{Interval: 10}); err != nil {
		t.Fatal(err)
	}
	l, err := auditlog.Open(dir, auditlog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	written := make(chan error, 1)
	go func() { written <- write(t, l, 3000) }()
	for done := false; !done; {
		select {
		case err := <-written:
			if err != nil {
				t.Fatal(err)
			}
			done = true
		default:
		}
		v, err := l.View()
		if err != nil {
			t.Fatal(err)
		}
		r, err := verify.Verify(t.Context(), v, verify.Options{})
		v.Close()
		if err != nil || !r.OK() {
			t.Fatalf("%v, %v", r, err)
		}
	}
	if err := l.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if r := check(t, dir, verify.Options{}); !r.OK() {
		t.Error(r.Findings)
	}
}

// write appends requests of several meters whose answers come later, often in
// the window after.
func write(t *testing.T, l *auditlog.Log, requests int) error {
	var late []uint64
	for i := range requests {
		d, err := auditlog.NewDraft(&logv1.Event{Kind: &logv1.Event_Request{Request: &logv1.Request{
			MeterIds: []string{fmt.Sprint("m", i%7), fmt.Sprint("n", i%3)},
		}}})
		if err != nil {
			return err
		}
		p, err := l.Append(d).Wait(t.Context())
		if err != nil {
			return err
		}
		if late = append(late, p.Offset); len(late) < 6 {
			continue
		}
		for _, o := range late {
			if err := answer(t, l, o); err != nil {
				return err
			}
		}
		late = nil
	}
	return nil
}

// answer appends a part of a request's response and then its outcome.
func answer(t *testing.T, l *auditlog.Log, request uint64) error {
	part, err := auditlog.NewDraft(&logv1.Event{Kind: &logv1.Event_ResponsePart{ResponsePart: &logv1.ResponsePart{RequestOffset: request}}})
	if err != nil {
		return err
	}
	outcome := &logv1.Event{Kind: &logv1.Event_Abort{Abort: &logv1.Abort{RequestOffset: request}}}
	if request%2 == 0 {
		outcome = &logv1.Event{Kind: &logv1.Event_Response{Response: &logv1.Response{RequestOffset: request}}}
	}
	end, err := auditlog.NewDraft(outcome)
	if err != nil {
		return err
	}
	l.Append(part)
	_, err = l.Append(end).Wait(t.Context())
	return err
}
