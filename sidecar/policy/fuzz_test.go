package policy

import (
	"bytes"
	"encoding/json"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/cel-go/common/types"
)

// FuzzExpression: an expression of a configuration is refused in one line that names its
// setting. Or it is evaluated on any request within its bound, gives the same again, and
// is recorded so that the same policy can be made of it.
func FuzzExpression(f *testing.F) {
	for i, seed := range []string{
		DefaultMeters, `request.path == "/healthz" ? "health" : ""`, `request.path.startsWith("/v1/stream")`,
		`[request.json.?a.?b, optional.of(request.path)]`, `request.query.exists(k, k in request.headers)`, `request.body.size() > 0`,
		`string(request.body).split(",").map(x, x.replace("", x))`, `request.headers.all(k, request.headers.all(l, k == l))`, `true`,
		`request.json.a.map(x, request.json.a.map(y, x + y))`, `request.body == b"\xff" ? "\u00e9" : request.method`, `1`,
		`request.nothing`, "\xff", `(((`,
	} {
		f.Add(uint8(i), seed, "/v1/stream?k=1", []byte(`{"a":["b",1,null]}`))
	}
	f.Add(uint8(1), `request.json.filter(x, request.json.exists(y, x + y == 0)).size() == 0`, "/", []byte("[1"+strings.Repeat(",1", 150)+"]"))
	f.Fuzz(func(t *testing.T, setting uint8, expression, path string, body []byte) {
		var o Options
		text := []*string{&o.Meters, &o.Skip, &o.Stream}[setting%3]
		*text = expression
		p, err := New(o)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "capture.") || strings.Contains(err.Error(), "\n") {
				t.Errorf("not one line about a setting: %q", err)
			}
			return
		}
		r := request(string(body), ":method", "POST", ":path", path, "content-type", path)
		if rule := []*rule{p.meters, p.skip, p.stream}[setting%3]; rule != nil {
			checkBound(t, rule, r)
		}
		checkAgain(t, p, p, r)
		checkAgain(t, p, readAgain(t, p), r)
	})
}

// checkBound: what costs more than the limit yields nothing, and what is yielded is no
// larger than its cost allows.
func checkBound(t *testing.T, r *rule, of Request) {
	t.Helper()
	val, details, err := r.program.Eval(&variables{request: of})
	if err != nil {
		return
	}
	cost := details.ActualCost()
	if cost == nil {
		t.Fatalf("%s has no cost", r.setting)
	}
	if *cost > costLimit {
		t.Errorf("%s cost %d and was not ended", r.setting, *cost)
	}
	text, ok := val.(types.String)
	input := len(of.Body)
	for _, h := range of.Headers {
		input += len(h.GetName()) + len(h.GetValue())
	}
	if ok && len(text) > input+100*costLimit {
		t.Errorf("%s yields %d bytes of a request of %d", r.setting, len(text), input)
	}
}

// checkAgain compares what two policies say of a request.
func checkAgain(t *testing.T, p, again *Policy, r Request) {
	t.Helper()
	ids, err := p.Meters(r)
	idsAgain, errAgain := again.Meters(r)
	if !slices.Equal(ids, idsAgain) || (err == nil) != (errAgain == nil) {
		t.Errorf("meters %q, %v, and then %q, %v", ids, err, idsAgain, errAgain)
	}
	reason, skipped := p.Skip(r)
	if reasonAgain, skippedAgain := again.Skip(r); reasonAgain != reason || skippedAgain != skipped {
		t.Errorf("skip %q, %v, and then %q, %v", reason, skipped, reasonAgain, skippedAgain)
	}
	if stream := p.Stream(r.Headers); again.Stream(r.Headers) != stream {
		t.Errorf("a stream: %v, and then not", stream)
	}
}

// readAgain makes a policy of its record.
func readAgain(t *testing.T, p *Policy) *Policy {
	t.Helper()
	var text struct{ Meters, Skip, Stream string }
	if err := json.Unmarshal(p.Text().GetText(), &text); err != nil {
		t.Fatal(err)
	}
	again, err := New(Options{Meters: text.Meters, Skip: text.Skip, Stream: text.Stream})
	if err != nil {
		t.Fatalf("%s is recorded and refused: %v", p.Text().GetText(), err)
	}
	if !bytes.Equal(again.Text().GetText(), p.Text().GetText()) {
		t.Errorf("%s is recorded again as %s", p.Text().GetText(), again.Text().GetText())
	}
	return again
}

// TestTextsDoNotGrowWithoutBound: what would get too long is refused before it is made.
func TestTextsDoNotGrowWithoutBound(t *testing.T) {
	large := request(strings.Repeat(",", 20_000), "x", strings.Repeat("x", 1<<16))
	many := request(strings.Repeat(",", 4_000), "x", strings.Repeat("x", 1<<16))
	deep := request(strings.Repeat(`{"a":`, 3_000)+`"`+strings.Repeat("x", 1<<16)+`"`+strings.Repeat("}", 3_000), "x", "")
	for expression, large := range map[string]Request{
		`string(request.body).replace("", string(request.body))`:                                                       large,
		`string(request.body).replace(",", request.headers["x"], 1000000)`:                                             large,
		`string(request.body).split(",").join(string(request.body))`:                                                   large,
		`"%s".format([string(request.body).split(",").map(x, request.headers["x"])])`:                                  many,
		`string(request.body).replace(",", "%s").format(string(request.body).split(",").map(x, request.headers["x"]))`: many,
		`"%s".format([{"m": string(request.body).split(",").map(x, request.headers)}])`:                                many,
		`"%s".format([request.json])`:                            deep,
		`("%.1000000000f" + request.headers["x"]).format([1.5])`: deep,
		`("%.1000000000e" + request.headers["x"]).format([1.5])`: deep,
	} {
		p := mustNew(t, Options{Meters: expression})
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := p.Meters(large)
		runtime.ReadMemStats(&after)
		if made := after.TotalAlloc - before.TotalAlloc; err == nil || made > 64<<20 {
			t.Errorf("%s: %v, %d bytes were made", expression, err, made)
		}
	}
	for expression, want := range map[string]string{
		`"a-b-c".replace("-", "+-")`:            "a+-b+-c",
		`"a-b-c".replace("-", "", 1)`:           "ab-c",
		`"ab".replace("", "-", 2)`:              "-a-b",
		`"a-b".replace("-", "xy", -1)`:          "axyb",
		`["a", "", "c"].join(",")`:              "a,,c",
		`["a", "b"].join()`:                     "ab",
		`[request.path].join("--")`:             "p",
		`"a,b".split(",").join("\u00e9")`:       "a\u00e9b",
		`"%s-%d-%.2f".format(["a", 1, 2.5])`:    "a-1-2.50",
		`"%s".format([{"a": [1, null, b"x"]}])`: "{a: [1, null, x]}",
	} {
		checkMeters(t, mustNew(t, Options{Meters: expression}), request("", ":path", "p"), []string{want}, "")
	}
	_, err := mustNew(t, Options{Meters: `["a", dyn(request.json)].map(x, x).join()`}).Meters(request("1"))
	if err == nil {
		t.Error("a number was joined")
	}
}
