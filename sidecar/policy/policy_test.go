package policy

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"testing"

	logv1 "verbatim/proto/verbatim/log/v1"
)

// request takes a body and a header list as name, value, name, value.
func request(body string, headers ...string) Request {
	r := Request{Body: []byte(body)}
	for pair := range slices.Chunk(headers, 2) {
		r.Headers = append(r.Headers, &logv1.Header{Name: []byte(pair[0]), Value: []byte(pair[1])})
	}
	return r
}

func mustNew(t testing.TB, o Options) *Policy {
	t.Helper()
	p, err := New(o)
	if err != nil {
		t.Fatalf("New(%+v): %v", o, err)
	}
	return p
}

func checkMeters(t *testing.T, p *Policy, r Request, want []string, wantErr string) {
	t.Helper()
	ids, err := p.Meters(r)
	if !slices.Equal(ids, want) {
		t.Errorf("ids %q, want %q (error %v)", ids, want, err)
	}
	if (err != nil) != (wantErr != "") || (err != nil && !strings.Contains(err.Error(), wantErr)) {
		t.Errorf("error %v, want %q", err, wantErr)
	}
}

func TestDefaultMeters(t *testing.T) {
	tests := []struct {
		name    string
		request Request
		want    []string
		wantErr string
	}{
		{"header", request("", "x-meter-id", "m1"), []string{"m1"}, ""},
		{"header before body", request(`{"meter_id":"m2"}`, "x-meter-id", "m1"), []string{"m1"}, ""},
		{"header list, sorted", request("", "x-meter-id", "c, a,,b"), []string{"a", "b", "c"}, ""},
		{"two headers", request("", "x-meter-id", "b", "X-Meter-Id", "a"), []string{"a", "b"}, ""},
		{"empty header", request(`{"meter_id":"m2"}`, "x-meter-id", ""), []string{"m2"}, ""},
		{"only commas", request("", "x-meter-id", " , "), nil, ""},
		{"body", request(`{"meter_id":"m1","kwh":3}`), []string{"m1"}, ""},
		{"number", request(`{"meter_id":7}`), []string{"7"}, ""},
		{"list in body", request(`{"meter_id":["b","a","b"]}`), []string{"a", "b"}, ""},
		{"null", request(`{"meter_id":null}`), nil, ""},
		{"empty", request(`{"meter_id":""}`), nil, ""},
		{"readings", request(`{"readings":[{"meter_id":"b"},{"meter_id":"a"},{"meter_id":"b"}]}`), []string{"a", "b"}, ""},
		{"readings, some without", request(`{"meter_id":null,"readings":[{"meter_id":"a"},{},{"meter_id":null}]}`), []string{"a"}, ""},
		{"readings of another shape", request(`{"readings":{"meter_id":"a"}}`), nil, ""},
		{"no readings", request(`{"readings":[]}`), nil, ""},
		{"reading is no object", request(`{"readings":[{"meter_id":"a"},5,null,"meter_id"]}`), []string{"a"}, ""},
		{"reading is a list", request(`{"readings":[{"meter_id":"a"},[]]}`), nil, "capture.meters: unsupported index type"},
		{"object for an id", request(`{"meter_id":{}}`), nil, "a meter id of type map"},
		{"JSON list", request(`["meter_id"]`), nil, ""},
		{"JSON string", request(`"meter_id"`), nil, ""},
		{"no JSON", request(`meter_id=m1`), nil, ""},
		{"nothing", Request{}, nil, ""},
		{"not UTF-8", request("", "x-meter-id", "\xff"), nil, "not valid UTF-8"},
	}
	p := mustNew(t, Options{})
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			checkMeters(t, p, test.request, test.want, test.wantErr)
		})
	}
}

func TestMeterIDText(t *testing.T) {
	tests := []struct {
		json    string
		want    []string
		wantErr string
	}{
		{`7`, []string{"7"}, ""},
		{`7.0`, []string{"7"}, ""},
		{`7e2`, []string{"700"}, ""},
		{`-7.5`, []string{"-7.5"}, ""},
		{`9007199254740993`, []string{"9007199254740993"}, ""},
		{`18446744073709551615`, []string{"18446744073709551615"}, ""},
		{`101010101010101010101`, []string{"101010101010101010101"}, ""},
		{`1e999`, []string{"1e999"}, ""},
		{`1e300`, nil, "a meter id of 301 bytes"},
		{`"07"`, []string{"07"}, ""},
		{`true`, nil, "a meter id of type bool"},
		{`[["a"]]`, nil, "a meter id of type list"},
		{`[7, "7", null, ""]`, []string{"7"}, ""},
	}
	p := mustNew(t, Options{Meters: "request.json"})
	for _, test := range tests {
		t.Run(test.json, func(t *testing.T) {
			checkMeters(t, p, request(test.json), test.want, test.wantErr)
		})
	}
}

func TestMetersBounds(t *testing.T) {
	list := func(n, of int) string {
		var ids []string
		for i := range n {
			ids = append(ids, fmt.Sprintf("%d", i%of))
		}
		return "[" + strings.Join(ids, ",") + "]"
	}
	p := mustNew(t, Options{Meters: "request.json"})
	for _, body := range []string{list(MaxMeterIDs, MaxMeterIDs), list(5000, MaxMeterIDs)} {
		if ids, err := p.Meters(request(body)); err != nil || len(ids) != MaxMeterIDs {
			t.Errorf("%d ids, error %v; want %d", len(ids), err, MaxMeterIDs)
		}
	}
	checkMeters(t, p, request(list(MaxMeterIDs+1, MaxMeterIDs+1)), nil, "1025 meter ids in one request, at most 1024")
	longest := strings.Repeat("m", MaxMeterIDBytes)
	checkMeters(t, p, request(`"`+longest+`"`), []string{longest}, "")
	checkMeters(t, p, request(`"m`+longest+`"`), nil, "a meter id of 257 bytes, at most 256")
}

func TestHostileBody(t *testing.T) {
	p := mustNew(t, Options{
		Meters: `request.json.all(x, request.json.all(y, x == y)) ? "a" : "b"`,
		Skip:   `request.json.all(x, request.json.all(y, x == y))`,
	})
	r := request("[" + strings.Repeat("1,", 2000) + "1]")
	checkMeters(t, p, r, nil, "capture.meters: operation cancelled: actual cost limit exceeded")
	if reason, skipped := p.Skip(r); skipped {
		t.Errorf("skipped for %q", reason)
	}
	deep := strings.Repeat("[", 1<<20)
	checkMeters(t, mustNew(t, Options{}), request(deep), nil, "")
}

func TestSkip(t *testing.T) {
	health := request("", ":method", "GET", ":path", "/healthz?full=1")
	tests := []struct {
		skip, reason string
		skipped      bool
	}{
		{``, "", false},
		{`request.path == "/healthz"`, "skip", true},
		{`request.path == "/metrics"`, "", false},
		{`request.path in ["/healthz"] ? "health check" : ""`, "health check", true},
		{`request.path in ["/metrics"] ? "scrape" : ""`, "", false},
		{`request.json.missing == 1`, "", false},
		{`string(request.json.missing)`, "", false},
		{`"` + strings.Repeat("é", MaxReasonBytes) + `"`, strings.Repeat("é", MaxReasonBytes/2), true},
		{`"a` + strings.Repeat("é", MaxReasonBytes) + `"`, "a" + strings.Repeat("é", MaxReasonBytes/2-1), true},
	}
	for _, test := range tests {
		p := mustNew(t, Options{Skip: test.skip})
		reason, skipped := p.Skip(health)
		if reason != test.reason || skipped != test.skipped {
			t.Errorf("%s: %q, %v; want %q, %v", test.skip, reason, skipped, test.reason, test.skipped)
		}
	}
}

func TestSkipReasonIsUTF8(t *testing.T) {
	p := mustNew(t, Options{Skip: "request.path"})
	reason, skipped := p.Skip(request("", ":path", "/\xff"))
	if reason != "/\uFFFD" || !skipped {
		t.Errorf("%q, %v", reason, skipped)
	}
}

func TestNewErrors(t *testing.T) {
	const need = "a string, a list of strings or dyn"
	tests := []struct {
		options Options
		want    string
	}{
		{Options{Meters: "request.json."}, "capture.meters: 1:14: Syntax error: no viable alternative at input '.'"},
		{Options{Meters: "[\n  1 ? 2"}, "capture.meters: 2:8: Syntax error: mismatched input '<EOF>' expecting ':'"},
		{Options{Meters: "'a'\n  + 1"}, "capture.meters: 2:3: found no matching overload for '_+_' applied to '(string, int)'"},
		{Options{Meters: "request.jsn.a"}, "capture.meters: 1:1: no such variable; there are request.method, request.path, request.query, request.headers, request.body and request.json"},
		{Options{Meters: "1"}, "capture.meters: 1:1: the expression yields int but must yield " + need},
		{Options{Meters: "[1]"}, "capture.meters: 1:1: the expression yields list(int) but must yield " + need},
		{Options{Meters: "request.headers"}, "capture.meters: 1:1: the expression yields map(string, string) but must yield " + need},
		{Options{Meters: "'\xff'"}, "capture.meters: the expression is not valid UTF-8"},
		{Options{Skip: "request.json"}, "capture.skip: 1:1: the expression yields dyn but must yield bool, or a string with the reason"},
		{Options{Skip: "request.path.startsWith("}, "capture.skip: 1:25: Syntax error: mismatched input '<EOF>'"},
	}
	for _, test := range tests {
		_, err := New(test.options)
		if err == nil || !strings.HasPrefix(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%+v:\n got %v\nwant %s", test.options, err, test.want)
		}
	}
}

func TestText(t *testing.T) {
	p := mustNew(t, Options{Meters: `request.headers["a"]`, Skip: `request.path < "/b" && true`})
	got := p.Text()
	want := `{"meters":"request.headers[\"a\"]","skip":"request.path < \"/b\" && true","stream":"","stream_types":[],"version":1}`
	if string(got.Text) != want {
		t.Errorf("text\n got %s\nwant %s", got.Text, want)
	}
	if sum := sha256.Sum256([]byte(want)); !bytes.Equal(got.Sha256, sum[:]) || got.Version != 1 {
		t.Errorf("version %d, digest %x", got.Version, got.Sha256)
	}
	if text := mustNew(t, Options{}).Text(); !bytes.Equal(text.Text, mustNew(t, Options{Meters: DefaultMeters}).Text().Text) {
		t.Errorf("the default is not recorded whole: %s", text.Text)
	}
}

func BenchmarkDefaultMeters(b *testing.B) {
	p := mustNew(b, Options{})
	r := request(`{"meter_id":"m1","kwh":12.5}`, ":method", "POST", ":path", "/readings", "content-type", "application/json")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.Meters(r); err != nil {
			b.Fatal(err)
		}
	}
}
