package e2e

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"verbatim/filter"
	"verbatim/tests/mesh"
	"verbatim/tests/oddities"
)

// clientView is an answer as a client understands it, without Envoy's date.
type clientView struct {
	Head, Body, Trailers string
	Cut                  bool // it ended before it was whole
	Rest                 string
}

func viewOf(t *testing.T, raw []byte) clientView {
	t.Helper()
	br := bufio.NewReader(bytes.NewReader(raw))
	m, err := (&wireReader{br: br}).message(true)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Fatalf("read %.300q: %v", raw, err)
	}
	rest, err2 := io.ReadAll(br)
	if err2 != nil {
		t.Fatal(err2)
	}
	return clientView{
		Head: withoutDate(m.head), Body: string(m.body), Trailers: m.trailers, Cut: err != nil, Rest: string(rest),
	}
}

// withoutDate drops the date that Envoy sets: one of today.
func withoutDate(head string) string {
	var kept strings.Builder
	for l := range strings.SplitAfterSeq(head, "\r\n") {
		value, isDate := strings.CutPrefix(l, "date: ")
		at, err := http.ParseTime(strings.TrimSuffix(value, "\r\n"))
		if !isDate || err != nil || time.Since(at) > time.Hour {
			kept.WriteString(l)
		}
	}
	return kept.String()
}

// TestWireClient asks for every odd response through Envoy with and without the
// capture: the client gets the same status line, headers, body and trailers. An
// answer that breaks off becomes a whole 502 or 503 where the capture holds it; a plain
// Envoy has let its head pass by the time it sees that, and then cuts it off.
func TestWireClient(t *testing.T) { inPlaces(t, behindRouter, wireClient) }

func wireClient(t *testing.T, p wirePlace) {
	pipeline, plainPipeline := startOdd(t), startOdd(t)
	s := newSite(t, p.options(siteOptions{upstream: pipeline.addr}, "meter"))
	plain := mesh.StartTestEnvoy(t, mesh.EnvoyOptions{Bootstrap: filter.Bootstrap{Pipeline: plainPipeline.addr}})
	same, cut := 0, 0
	for i, o := range oddities.Responses() {
		want := viewOf(t, askOdd(t, plain.Addr, plainPipeline, i, o))
		got := viewOf(t, askOdd(t, s.envoy.Addr, pipeline, i, o))
		switch d := cmp.Diff(want, got); {
		case o.Whole && d == "":
			same++
		case !p.holds && d == "":
			if want.Cut {
				cut++
			}
		case o.Whole:
			t.Errorf("%s: the client sees the capture (-without +with):\n%s", o.Name, d)
		case !strings.HasPrefix(got.Head, "HTTP/1.1 502 ") && !strings.HasPrefix(got.Head, "HTTP/1.1 503 ") || got.Cut:
			t.Errorf("%s: it broke off, and the client got %+v", o.Name, got)
		case d != "" && !want.Cut:
			t.Errorf("%s: Envoy answers otherwise (-without +with):\n%s", o.Name, d)
		case want.Cut:
			cut++
		}
	}
	t.Logf("%d whole answers are the same; of the others, %d reach a client cut off without the capture", same, cut)
	if same < 200 || cut < 10 {
		t.Errorf("%d whole answers are the same, %d others are cut off without the capture", same, cut)
	}
}
