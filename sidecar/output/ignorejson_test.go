package output_test

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/output"
)

// canonical is the form of a message under a policy, decoded. It checks that the
// message can be restored from it.
func canonical(tb testing.TB, m output.Message, p output.IgnorePolicy) (*logv1.Output, output.Canonicalized) {
	tb.Helper()
	c, err := output.Canonical(m, p)
	if err != nil {
		tb.Fatal(err)
	}
	o, err := output.Decode(c.Output)
	if err != nil {
		tb.Fatal(err)
	}
	wantRestored(tb, m, p, c)
	return o, c
}

// record is what the log keeps of a canonical form.
func record(c output.Canonicalized) *logv1.Response {
	return &logv1.Response{Output: c.Output, IgnoredHeaders: c.Ignored, IgnoredSpans: c.Spans}
}

// wantRestored: what was recorded gives the body again, and the canonical form that the
// message has under any other policy.
func wantRestored(tb testing.TB, m output.Message, p output.IgnorePolicy, c output.Canonicalized) {
	tb.Helper()
	back, err := output.Restore(record(c))
	if err != nil {
		tb.Fatal(err)
	}
	if !bytes.Equal(back.Body, m.Body) {
		tb.Errorf("restored the body as %q, it was %q", back.Body, m.Body)
	}
	for _, other := range []output.IgnorePolicy{{}, output.DefaultIgnorePolicy(), p} {
		want, err := output.Canonical(m, other)
		if err != nil {
			tb.Fatal(err)
		}
		got, err := output.Reapply(record(c), m.Path, other)
		if err != nil {
			tb.Fatal(err)
		}
		if !bytes.Equal(got.Output, want.Output) || got.Hash != want.Hash || !cmp.Equal(spans(got), spans(want)) {
			tb.Errorf("under %s the record gives %x, the message %x", other.JSON(), got.Output, want.Output)
		}
	}
}

func spans(c output.Canonicalized) []string {
	var list []string
	for _, s := range c.Spans {
		list = append(list, s.String())
	}
	return list
}

func TestIgnoredJSON(t *testing.T) {
	const ph = output.Placeholder
	for name, c := range map[string]struct {
		pointers   string // separated by white space
		body, want string // want "": as it is
	}{
		"a member":                    {"/at", `{"at":123,"kwh":1.50}`, `{"at":` + ph + `,"kwh":1.50}`},
		"white space stays":           {"/at", " {\n\t\"at\" : [ 1 , {} ] ,\r\n\"b\":2}\n", " {\n\t\"at\" : " + ph + " ,\r\n\"b\":2}\n"},
		"every kind of value":         {"/*", `[null,true,-1.5e+9,"a\"]",{"b":[]},[{}]]`, strings.Repeat(","+ph, 6)},
		"nested":                      {"/a/b/c", `{"a":{"b":{"c":1,"d":2},"c":3},"b":{"c":4}}`, `{"a":{"b":{"c":` + ph + `,"d":2},"c":3},"b":{"c":4}}`},
		"an element":                  {"/1", `[1,2,3]`, `[1,` + ph + `,3]`},
		"no index of that form":       {"/01", `[1,2,3]`, ""},
		"a member like an index":      {"/0", `{"0":1,"00":2}`, `{"0":` + ph + `,"00":2}`},
		"every element":               {"/items/*/at", `{"items":[{"at":1},{"at":2,"b":3},4]}`, `{"items":[{"at":` + ph + `},{"at":` + ph + `,"b":3},4]}`},
		"every member":                {"/*/at", `{"x":{"at":1},"*":{"at":2}}`, `{"x":{"at":` + ph + `},"*":{"at":` + ph + `}}`},
		"a star and a name":           {"/*/a /x/b", `{"x":{"a":1,"b":2},"y":{"a":3,"b":4}}`, `{"x":{"a":` + ph + `,"b":` + ph + `},"y":{"a":` + ph + `,"b":4}}`},
		"a pointer inside another":    {"/a/b /a", `{"a":{"b":1}}`, `{"a":` + ph + `}`},
		"a name twice":                {"/at", `{"at":1,"b":2,"at":{"at":3}}`, `{"at":` + ph + `,"b":2,"at":` + ph + `}`},
		"escapes in a name":           {"/at/\u00e9", `{"\u0061t":{"\u00E9":1}}`, `{"\u0061t":{"\u00E9":` + ph + `}}`},
		"a quote and a slash in one":  {"/a~1\"~0", `{"a/\"~":1}`, `{"a/\"~":` + ph + `}`},
		"an empty name":               {"/", `{"":1,"a":2}`, `{"":` + ph + `,"a":2}`},
		"a name that only begins so":  {"/at", `{"atom":1,"a":2,"AT":3}`, ""},
		"a number beyond any float":   {"/b", `{"a":1e99999,"b":-0.1e-99999}`, `{"a":1e99999,"b":` + ph + `}`},
		"nothing there":               {"/x/y", `{"x":1}`, ""},
		"a value that is no object":   {"/x/y", `{"x":"y"}`, ""},
		"a text of one scalar":        {"/x", `"x"`, ""},
		"no JSON":                     {"/at", `{"at":1`, ""},
		"two texts":                   {"/at", `{"at":1}{"at":2}`, ""},
		"not UTF-8":                   {"/at", "{\"at\":1,\"b\":\"\xff\"}", ""},
		"a mark of the byte order":    {"/at", "\ufeff{\"at\":1}", ""},
		"the placeholder as a value":  {"/at", `{"at":` + ph + `}`, `{"at":` + ph + `}`},
		"deep, and nothing in it":     {"/a", strings.Repeat("[", 5000) + strings.Repeat("]", 5000), ""},
		"deeper than can be read":     {"/0", strings.Repeat("[", 20000) + strings.Repeat("]", 20000), ""},
		"as many values as are taken": {"/*", "[" + strings.Repeat("1,", 1<<16-1) + "1]", "[" + strings.Repeat(ph+",", 1<<16-1) + ph + "]"},
		"one more":                    {"/*", "[" + strings.Repeat("1,", 1<<16) + "1]", ""},
	} {
		t.Run(name, func(t *testing.T) {
			if c.want == "" {
				c.want = c.body
			}
			if c.want[0] == ',' {
				c.want = "[" + c.want[1:] + "]"
			}
			p := compile(t, output.IgnoreRules{JSON: strings.Fields(c.pointers)})
			o, _ := canonical(t, output.Message{Status: 200, Headers: list("content-type:application/json"), Body: []byte(c.body)}, p)
			if d := cmp.Diff(c.want, string(o.GetBody())); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestWhichBodiesAreLookedInto: content-length goes where a body was.
func TestWhichBodiesAreLookedInto(t *testing.T) {
	for _, c := range []struct {
		headers []string
		body    string
		looked  bool
	}{
		{[]string{"content-type:application/json"}, `{"at":1}`, true},
		{[]string{"Content-Type: Application/JSON; charset=utf-8 "}, `{"at":1}`, true},
		{[]string{"content-type:application/problem+json"}, `{"at":1}`, true},
		{[]string{"content-type:application/json"}, `{"kwh":1}`, true},
		{[]string{"content-type:application/json", "content-encoding:identity"}, `{"at":1}`, true},
		{[]string{"content-type:application/json", "content-encoding:gzip"}, `{"at":1}`, false},
		{[]string{"content-encoding:br", "content-type:application/json"}, `{"at":1}`, false},
		{[]string{"content-type:application/json", "content-type:application/json"}, `{"at":1}`, false},
		{[]string{"content-type:text/plain"}, `{"at":1}`, false},
		{[]string{"content-type:application/x-ndjson"}, `{"at":1}`, false},
		{nil, `{"at":1}`, false},
		{[]string{"content-type:application/json"}, `{"at":1`, false},
		{[]string{"content-type:application/json"}, ``, false},
		{[]string{"content-type:application/grpc"}, `{"at":1}`, false},
	} {
		p := compile(t, output.IgnoreRules{Headers: []string{"x-a"}, JSON: []string{"/at"}})
		m := output.Message{
			Status: 200, Headers: list(append(c.headers, "x-a:1", "content-length:8")...), Body: []byte(c.body), Trailers: list("content-length:8"),
		}
		o, got := canonical(t, m, p)
		n := 0
		for _, h := range got.Ignored {
			if string(h.GetName()) == "content-length" && !h.GetInTrailers() {
				n++
			}
		}
		if kept := strings.Contains(strings.Join(lines(o.GetHeaders()), " "), "content-length"); n == 1 != c.looked || kept == c.looked {
			t.Errorf("%v %s: content-length ignored %d times, kept %v; looked into: want %v", c.headers, c.body, n, kept, c.looked)
		}
		if len(o.GetTrailers()) != 1 {
			t.Errorf("trailers %v", o.GetTrailers())
		}
	}
}

// FuzzIgnoredJSON holds the octets that were replaced against the values of a decoder.
func FuzzIgnoredJSON(f *testing.F) {
	f.Add("/at", "/items/*/at", []byte(`{"at":1,"items":[{"at":2},{"at":[3]}],"x":"\u00e9"}`))
	f.Add("/*", "/a/*", []byte(` [ 1 , "a\\" , { "b" : null } ] `))
	f.Add("/a~1b", "/0/1", []byte(`[[1,2],{"a/b":"a"}]`))
	f.Fuzz(func(t *testing.T, one, two string, body []byte) {
		p, err := output.IgnoreRules{JSON: []string{one, two}}.Compile()
		if err != nil {
			return
		}
		o, c := canonical(t, output.Message{Status: 200, Headers: list("content-type:application/json"), Body: body}, p)
		before, ok := decodeJSON(body)
		if !ok || len(c.Spans) == 0 {
			if !bytes.Equal(o.GetBody(), body) {
				t.Errorf("%q became %q", body, o.GetBody())
			}
			return
		}
		after, ok := decodeJSON(o.GetBody())
		if !ok {
			t.Fatalf("%q became %q, which is no JSON", body, o.GetBody())
		}
		for _, pointer := range []string{one, two} {
			before = ignoreValue(before, segmentsOf(pointer))
		}
		if d := cmp.Diff(before, after); d != "" {
			t.Errorf("%q became %q:\n%s", body, o.GetBody(), d)
		}
	})
}

func decodeJSON(b []byte) (v any, ok bool) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	return v, json.Valid(b) && d.Decode(&v) == nil
}

func segmentsOf(pointer string) []string {
	segments := strings.Split(pointer[1:], "/")
	for i, s := range segments {
		segments[i] = strings.ReplaceAll(strings.ReplaceAll(s, "~1", "/"), "~0", "~")
	}
	return segments
}

// ignoreValue is v with what the segments lead to replaced.
func ignoreValue(v any, segments []string) any {
	if len(segments) == 0 {
		return strings.Trim(output.Placeholder, `"`)
	}
	meant := func(name string) bool { return segments[0] == "*" || segments[0] == name }
	switch v := v.(type) {
	case map[string]any:
		for name := range v {
			if meant(name) {
				v[name] = ignoreValue(v[name], segments[1:])
			}
		}
	case []any:
		for i := range v {
			if meant(strconv.Itoa(i)) {
				v[i] = ignoreValue(v[i], segments[1:])
			}
		}
	}
	return v
}
