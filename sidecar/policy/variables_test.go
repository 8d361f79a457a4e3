package policy

import (
	"slices"
	"testing"
)

func TestVariables(t *testing.T) {
	r := request("body", ":method", "POST", ":path", "/a%20b?k=1&k=%32&bad=%zz&empty",
		":authority", "meters.test", "X-Twice", "1", "x-twice", "2")
	for _, expr := range []string{
		`request.method == "POST"`,
		`request.path == "/a%20b"`,
		`request.query == {"k": ["1", "2"], "empty": [""]}`,
		`request.query[?"none"].orValue([]) == []`,
		`request.headers["x-twice"] == "1,2"`,
		`request.headers[":authority"] == "meters.test"`,
		`!("x-none" in request.headers)`,
		`request.body == b"body"`,
		`request.json == null`,
	} {
		p := mustNew(t, Options{Skip: expr})
		if _, skipped := p.Skip(r); !skipped {
			t.Errorf("%s does not hold", expr)
		}
	}
}

func TestNoHeadersNoBody(t *testing.T) {
	for _, expr := range []string{
		`request.method == "" && request.path == "" && size(request.query) == 0`,
		`size(request.headers) == 0 && size(request.body) == 0 && request.json == null`,
	} {
		p := mustNew(t, Options{Skip: expr})
		if _, skipped := p.Skip(Request{}); !skipped {
			t.Errorf("%s does not hold", expr)
		}
	}
}

func TestJSON(t *testing.T) {
	tests := []struct{ body, expr string }{
		{`{"a":{"b":[1,2.5,"x",true,null]}}`, `request.json.a.b == [1, 2.5, "x", true, null]`},
		{` 5 `, `request.json == 5`},
		{`5 6`, `request.json == null`},
		{`{} }`, `request.json == null`},
		{`{"a":1`, `request.json == null`},
		{`{"a":1,"a":2}`, `request.json.a == 2`},
		{`{"a":1}`, `request.json.a > 0.5 && !has(request.json.b)`},
		{`18446744073709551616`, `request.json == "18446744073709551616"`},
	}
	for _, test := range tests {
		p := mustNew(t, Options{Skip: test.expr})
		if _, skipped := p.Skip(request(test.body)); !skipped {
			t.Errorf("%s: %s does not hold", test.body, test.expr)
		}
	}
}

// TestLazy shows that a variable is computed only when the expression gets to it.
func TestLazy(t *testing.T) {
	tests := []struct {
		meters        string
		headers, json bool
	}{
		{`"constant"`, false, false},
		{`string(request.body)`, false, false},
		{`request.path`, true, false},
		{`request.headers[?"x-meter-id"].orValue("") + request.path`, true, false},
		{`request.method == "GET" ? "" : request.json`, true, false},
		{`request.method == "POST" ? "" : request.json`, true, true},
		{`request.json.?meter_id`, false, true},
	}
	body := []byte(`{"meter_id":"m1"}`)
	for _, test := range tests {
		v := &variables{request: request(string(body), ":method", "GET", ":path", "/")}
		if _, err := mustNew(t, Options{Meters: test.meters}).meters.eval(v); err != nil {
			t.Errorf("%s: %v", test.meters, err)
		}
		if got := v.headers != nil; got != test.headers {
			t.Errorf("%s: header map built: %v, want %v", test.meters, got, test.headers)
		}
		if got := v.json != nil; got != test.json {
			t.Errorf("%s: JSON parsed: %v, want %v", test.meters, got, test.json)
		}
	}
}

// TestParsedOnce shows that an expression which names request.json often has the
// body parsed once.
func TestParsedOnce(t *testing.T) {
	v := &variables{request: request(`{"a":1}`)}
	first, _ := v.ResolveName("request.json")
	first.(map[string]any)["a"] = "changed"
	second, _ := v.ResolveName("request.json")
	if second.(map[string]any)["a"] != "changed" {
		t.Error("the body was parsed twice")
	}
}

func FuzzPolicy(f *testing.F) {
	f.Add("x-meter-id", "a,b", "/path?q=1", []byte(`{"meter_id":"m1"}`))
	f.Add(":path", "\xff", "/%zz?%zz=;&a", []byte(`{"readings":[{"meter_id":1e5},{}]}`))
	f.Add("", "", "?", []byte(`[[[[`))
	policies := []*Policy{
		mustNew(f, Options{}),
		mustNew(f, Options{
			Meters: `[request.json.?a.?b, optional.of(request.path), optional.of(string(request.body))]`,
			Skip:   `request.query.exists(k, k in request.headers) ? request.path : request.method`,
		}),
		mustNew(f, Options{Meters: `request.json`, Skip: `request.json.a[0] == request.json.b`}),
	}
	f.Fuzz(func(t *testing.T, name, value, path string, body []byte) {
		r := request(string(body), ":path", path, name, value)
		for _, p := range policies {
			ids, err := p.Meters(r)
			if err != nil && ids != nil {
				t.Errorf("ids %q beside the error %v", ids, err)
			}
			if len(ids) > MaxMeterIDs || !slices.IsSorted(ids) || len(slices.Compact(slices.Clone(ids))) != len(ids) {
				t.Errorf("ids are too many, unsorted or repeated: %q", ids)
			}
			if reason, skipped := p.Skip(r); skipped != (reason != "") || len(reason) > MaxReasonBytes {
				t.Errorf("Skip: %q, %v", reason, skipped)
			}
		}
	})
}
