package archive_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"verbatim/sidecar/archive"
	"verbatim/sidecar/auditlog"
	"verbatim/tests/s3"
)

// site is a log with something to archive: two manifests with segments and records.
func site(t *testing.T) *auditlog.Log {
	t.Helper()
	l := newLog(t)
	record(t, l, 40)
	keepRecords(t, l, "anchor/receipt/", 0, 6)
	return l
}

// TestEachRequestFailsOnce: each request of an archiving fails, with and without
// effect, and then the next run goes on: the archive is whole, and nothing that had
// arrived is sent again.
func TestEachRequestFailsOnce(t *testing.T) {
	for name, fault := range map[string]s3.Fault{
		"refused": s3.Refuse, "answer lost": s3.DropAfter, "answer cut off": s3.Truncate,
	} {
		t.Run(name, func(t *testing.T) { eachFails(t, fault) })
	}
}

func eachFails(t *testing.T, fault s3.Fault) {
	p, l := bucket(t), site(t)
	archivedTo := func(p place) (archive.Standing, error) {
		return archiver(withoutKeeping(options(p.open(t), l))).Once(t.Context())
	}
	if _, err := archivedTo(p.under("count/")); err != nil {
		t.Fatal(err)
	}
	requests := p.s3.Seen()
	if len(requests) < 20 {
		t.Fatalf("only %d requests", len(requests))
	}
	for n, request := range requests {
		if fault == s3.Truncate && !strings.HasPrefix(request, "GET ") {
			continue // its answer has nothing that could be missing
		}
		p := p.under(fmt.Sprintf("%d/", n))
		seen, failing := 0, ""
		p.s3.Misbehave(func(r *http.Request) (s3.Fault, bool) {
			if seen++; seen == n+1 {
				failing = r.Method + r.URL.String() // also when the client tries again
			}
			return fault, failing == r.Method+r.URL.String()
		})
		if _, err := archivedTo(p); err == nil {
			t.Errorf("request %d failed, and the run did not", n)
		}
		p.s3.Behave()
		first := p.s3.Seen()
		arrived := puts(first)
		if failed := first[len(first)-1]; fault == s3.Refuse {
			delete(arrived, strings.TrimPrefix(failed, "PUT "))
		}
		s, err := archivedTo(p)
		if err != nil {
			t.Fatalf("request %d: after it failed: %v", n, err)
		}
		for key, times := range puts(p.s3.Seen()) {
			if arrived[key] > 0 || times > 1 {
				t.Errorf("request %d: %s was sent again", n, key)
			}
		}
		sameLog(t, l, restored(t, p.open(t)), s.Through)
		p.s3.Seen()
	}
}

// withoutKeeping leaves the log as it is, so that it can be archived elsewhere.
func withoutKeeping(o archive.Options) archive.Options {
	o.Keep = nil
	return o
}

// puts counts what was written, by key.
func puts(requests []string) map[string]int {
	count := map[string]int{}
	for _, r := range requests {
		if key, ok := strings.CutPrefix(r, "PUT "); ok {
			count[key]++
		}
	}
	return count
}

// TestAStopAtAnyRequest: the run ends in the middle, as when the process is stopped.
func TestAStopAtAnyRequest(t *testing.T) {
	p, l := bucket(t), site(t)
	b := p.open(t)
	o := withoutKeeping(options(b, l))
	stops := 0
	for done := false; !done; stops++ {
		ctx, cancel := context.WithCancel(t.Context())
		seen := 0
		p.s3.Misbehave(func(*http.Request) (s3.Fault, bool) {
			// Each time it comes a little further: what is there is looked at again.
			if seen++; seen > 12 {
				cancel()
				return s3.Drop, true
			}
			return 0, false
		})
		_, err := archiver(o).Once(ctx)
		if done = err == nil; !done && !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		cancel()
	}
	p.s3.Behave()
	if stops < 3 {
		t.Errorf("only %d stops", stops)
	}
	for key, times := range puts(p.s3.Seen()) {
		if times > 2 {
			t.Errorf("%s was sent %d times", key, times)
		}
	}
	sameLog(t, l, restored(t, b), archived(t, o).Through)
}

// TestWhatIsThereIsNeverReplaced: something else has the name of an object already.
func TestWhatIsThereIsNeverReplaced(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		l := site(t)
		archived(t, withoutKeeping(options(p.open(t), l)))
		for i, key := range p.objects(t) {
			if strings.HasPrefix(key, "manifests/") {
				continue
			}
			taken := p.fresh(t, i)
			plain := taken.plain(t)
			if err := plain.WriteAll(t.Context(), key, []byte("something else"), nil); err != nil {
				t.Fatal(err)
			}
			_, err := archiver(withoutKeeping(options(taken.open(t), l))).Once(t.Context())
			if !errors.Is(err, archive.ErrAltered) || !strings.Contains(err.Error(), key) {
				t.Errorf("%s: %v", key, err)
			}
			for _, other := range taken.objects(t) {
				digest := key[strings.LastIndexAny(key, "-/")+1:]
				if b := read(t, taken.path(other)); other == key && string(b) != "something else" {
					t.Errorf("%s was replaced", key)
				} else if bytes.Contains(b, []byte(digest)) {
					t.Errorf("%s names %s", other, key)
				}
			}
		}
	})
}

func TestANameThatIsTakenMeanwhileStaysTaken(t *testing.T) {
	p, l := bucket(t), site(t)
	b := p.open(t)
	plain := p.plain(t)
	var key string
	p.s3.Before(func(r *http.Request) {
		if r.Method == http.MethodPut && key == "" && strings.Contains(r.URL.Path, "/segments/") {
			_, name, _ := strings.Cut(r.URL.Path, "/segments/")
			key = "segments/" + name
			if err := plain.WriteAll(t.Context(), key, []byte("something else"), nil); err != nil {
				t.Error(err)
			}
		}
	})
	_, err := archiver(options(b, l)).Once(t.Context())
	if !errors.Is(err, archive.ErrAltered) || !strings.Contains(err.Error(), key) {
		t.Errorf("%s: %v", key, err)
	}
	if got := read(t, p.path(key)); string(got) != "something else" {
		t.Errorf("%s was replaced by %d bytes", key, len(got))
	}
}

// TestTwoProcessesArchive: each manifest is written by one of them.
func TestTwoProcessesArchive(t *testing.T) {
	p, l := bucket(t), site(t)
	b := p.open(t)
	o := withoutKeeping(options(b, l))
	other := func() {
		// It has other sizes, so that its manifests are others.
		a := archive.New(o)
		a.SetSizes(300, 1<<20, 100)
		if _, err := a.Once(t.Context()); err != nil {
			t.Error(err)
		}
	}
	began := false
	p.s3.Before(func(r *http.Request) {
		if r.Method == http.MethodPut && !began && strings.Contains(r.URL.Path, "/manifests/") {
			began = true
			other()
		}
	})
	_, err := archiver(o).Once(t.Context())
	if !errors.Is(err, archive.ErrOvertaken) {
		t.Errorf("overtaken: %v", err)
	}
	sameLog(t, l, restored(t, b), archived(t, o).Through)
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// write puts a file where there may be one.
func write(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, b, 0o600)); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}
