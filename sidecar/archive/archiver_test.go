package archive_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"verbatim/sidecar/archive"
)

func TestAnArchiveGivesTheLogBack(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		l, b := newLog(t), p.open(t)
		record(t, l, 100)
		keepRecords(t, l, "anchor/receipt/", 0, 9)
		keepRecords(t, l, "checkpoint/note/", 0, 9)
		keepRecords(t, l, "anchor/submission", 0, 1)
		s := archived(t, options(b, l))
		if s.Through.Offset < 190 || s.Through.Offset%10 != 0 {
			t.Errorf("archived through %d", s.Through.Offset)
		}
		v := restored(t, b)
		sameLog(t, l, v, s.Through)
		if list := records(t, v, []byte("anchor/submission")); len(list) > 0 {
			t.Error("what is under way is archived")
		}
	})
}

func TestWhatComesLaterIsAddedAndNothingIsWrittenAgain(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		l, b := newLog(t), p.open(t)
		o := options(b, l)
		for i := range 4 {
			before := map[string]int64{}
			for _, key := range p.objects(t) {
				info, err := os.Stat(p.path(key))
				if err != nil {
					t.Fatal(err)
				}
				before[key] = info.ModTime().UnixNano()
			}
			record(t, l, 30)
			keepRecords(t, l, "anchor/receipt/", 3*i, 3*i+3)
			s := archived(t, o)
			again := archived(t, o)
			if s != again {
				t.Errorf("%+v, and then %+v with nothing new", s, again)
			}
			sameLog(t, l, restored(t, b), s.Through)
			for key, at := range before {
				if info, err := os.Stat(p.path(key)); err != nil || info.ModTime().UnixNano() != at {
					t.Errorf("%s was written again: %v", key, err)
				}
			}
		}
	})
}

func TestRecordsAloneAreArchived(t *testing.T) {
	l, p := newLog(t), folder(t)
	b := p.open(t)
	record(t, l, 20)
	first := archived(t, options(b, l))
	keepRecords(t, l, "anchor/receipt/", 0, 1)
	second := archived(t, options(b, l))
	if second.Manifest != first.Manifest+1 || second.Through != first.Through {
		t.Errorf("%+v, then %+v", first, second)
	}
	sameLog(t, l, restored(t, b), second.Through)
}

func TestNothingSealedIsNoArchive(t *testing.T) {
	l, p := newLog(t), folder(t)
	b := p.open(t)
	record(t, l, 2)
	keepRecords(t, l, "anchor/receipt/", 0, 1)
	if _, err := archiver(options(b, l)).Once(t.Context()); !errors.Is(err, archive.ErrEmpty) {
		t.Errorf("archived: %v", err)
	}
	if err := refused(t, b, archive.RestoreOptions{}); !errors.Is(err, archive.ErrEmpty) {
		t.Errorf("restored: %v", err)
	}
	if list := p.objects(t); len(list) > 0 {
		t.Errorf("there is %v", list)
	}
}

// TestALargeWindowIsSplit: no object grows with what one window holds.
func TestALargeWindowIsSplit(t *testing.T) {
	l, p := newLog(t), folder(t)
	b := p.open(t)
	record(t, l, 60)
	a := archive.New(options(b, l))
	a.SetSizes(50, 1<<20, 2)
	s, err := a.Once(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	sameLog(t, l, restored(t, b), s.Through)
	if list := p.objects(t); len(list) < 30 {
		t.Errorf("only %d objects", len(list))
	}
}

// TestALargeObjectIsWrittenOnce: S3 gets it in several parts.
func TestALargeObjectIsWrittenOnce(t *testing.T) {
	p, l := bucket(t), newLog(t)
	b := p.open(t)
	recordNoise(t, l, 9, 5<<20)
	for i := range 2 {
		s, err := archive.New(options(b, l)).Once(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		writes, parts := 0, 0
		for _, r := range p.s3.Seen() {
			if strings.HasPrefix(r, "POST ") {
				parts++
			} else if strings.HasPrefix(r, "PUT ") {
				writes++
			}
		}
		if (writes > 0) != (i == 0) || (parts > 0) != (i == 0) {
			t.Errorf("round %d: %d writes, of several parts %d", i, writes, parts)
		}
		sameLog(t, l, restored(t, b), s.Through)
		p.s3.Seen()
	}
}

func TestHowFarALogIsArchivedIsKeptInIt(t *testing.T) {
	l, p := newLog(t), folder(t)
	b := p.open(t)
	through := func(url string) (archive.Standing, bool) {
		v, err := l.View()
		if err != nil {
			t.Fatal(err)
		}
		defer v.Close()
		s, found, err := archive.Through(v, url)
		if err != nil {
			t.Fatal(err)
		}
		return s, found
	}
	if _, found := through(p.url); found {
		t.Error("archived before it was")
	}
	record(t, l, 50)
	want := archived(t, options(b, l))
	got, found := through(p.url)
	if !found || got.Through != want.Through || got.Digest != want.Digest || got.Manifest != want.Manifest {
		t.Errorf("%+v, %v; want %+v", got, found, want)
	}
	if _, found := through("file:///elsewhere"); found {
		t.Error("archived elsewhere")
	}
	newest, err := b.Newest(t.Context(), nil)
	if err != nil || newest.Digest != want.Digest || newest.Through != want.Through {
		t.Errorf("newest %+v, %v; want %+v", newest, err, want)
	}
}
