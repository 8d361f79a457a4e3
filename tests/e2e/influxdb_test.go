package e2e

import (
	"bytes"
	"flag"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/tests/forge"
)

// influxWrites is how much TestInfluxDB records: so many writes, and a tenth as many queries.
var influxWrites = flag.Int("influxdb.writes", 500, "writes to InfluxDB; a tenth as many queries come with them")

// TestInfluxDB records a database that was not written here, under load from many connections, and replays the log into
// an empty one: the same answers but for ids and dates. Then one point is altered in the log, with all hashes computed
// again: the first query that shows it is named.
func TestInfluxDB(t *testing.T) {
	began := time.Now()
	s := newSite(t, siteOptions{
		upstream: startInflux(t),
		serve:    []string{"--ordering", "global", "--ignore.headers", "date,request-id,x-request-id"},
	})
	if err := influxLoad(t.Context(), s.envoy.Addr, *influxWrites); err != nil {
		t.Fatal(err)
	}
	s.stop()
	t.Logf("recorded in %v", time.Since(began))
	events := uint64(1 + *influxWrites + *influxWrites/influxPerQuery)
	if r := s.verify(0, s.log); r.Requests != events || r.Responses != events || r.Open != 0 || r.Gaps != 0 {
		t.Fatalf("%d events sent, recorded %+v", events, r)
	}
	began = time.Now()
	var v verdict
	s.runJSON(0, &v, "replay", "--log", s.log, "--target", "http://"+startInflux(t))
	t.Logf("replayed in %v", time.Since(began))
	if v.Result != "VERIFIED" || v.Compared != events || v.OriginalRoot != v.ReplayRoot || v.OverlappingPairs != 0 {
		t.Errorf("%d events, verdict %+v", events, v)
	}
	t.Run("one point altered", func(t *testing.T) { alteredPoint(t, s) })
}

// alteredPoint alters a point in the middle of a copy and wants the first query of its meter behind it to be named.
func alteredPoint(t *testing.T, s *site) {
	list := readExchanges(t, s.log)
	altered := slices.IndexFunc(list[len(list)/2:], func(x *recordedExchange) bool { return isWrite(x.request) }) + len(list)/2
	_, rest, _ := strings.Cut(string(list[altered].request.GetBody()), "meter=")
	meter, _, _ := strings.Cut(rest, ",")
	shows := slices.IndexFunc(list[altered:], func(x *recordedExchange) bool { return showsMeter(t, x.request, meter) }) + altered
	if shows <= altered {
		t.Fatalf("no query of %s behind the write at %d", meter, list[altered].offset)
	}
	copied := filepath.Join(t.TempDir(), "log")
	if err := forge.Copy(s.log, copied); err != nil {
		t.Fatal(err)
	}
	err := forge.Rewrite(copied, func(o uint64, ev *logv1.Event) error {
		if o == list[altered].offset {
			body := ev.GetRequest().GetBody()
			body[bytes.Index(body, []byte("kwh="))+len("kwh=")] = '9'
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if r := s.verify(0, copied); !r.OK {
		t.Errorf("the rewritten log does not agree with itself: %v", r.Findings)
	}
	var v verdict
	s.runJSON(1, &v, "replay", "--log", copied, "--target", "http://"+startInflux(t))
	d, want := v.Divergence, list[shows]
	if v.Result != "DIVERGENCE" || d == nil || d.Kind != "body" || d.RequestOffset != want.offset || len(d.Diff) == 0 {
		t.Errorf("a point of %s altered at %d, %s shows it first, at %d; verdict %+v", meter, list[altered].offset, want.header(":path"), want.offset, v)
	}
}

func isWrite(r *logv1.Request) bool { return bytes.Contains(r.GetBody(), []byte("reading,meter=")) }

// showsMeter says whether a request is a query whose answer depends on each value of a meter.
func showsMeter(t *testing.T, r *logv1.Request, meter string) bool {
	t.Helper()
	sent := string(r.GetBody())
	for _, h := range r.GetHeaders() {
		if string(h.GetName()) == ":path" {
			sent += string(h.GetValue())
		}
	}
	_, q, _ := strings.Cut(sent, "q=")
	q, _, _ = strings.Cut(q, "/query?")
	text, err := url.QueryUnescape(q)
	if err != nil {
		t.Fatal(err)
	}
	for _, form := range influxQueries[:influxBlind] {
		if text == strings.Replace(form, "%s", meter, 1) {
			return true
		}
	}
	return false
}
