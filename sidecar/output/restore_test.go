package output_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/output"
)

func TestIgnoredPartsThatDoNotFit(t *testing.T) {
	p := compile(t, output.IgnoreRules{Headers: []string{"x-a"}, JSON: []string{"/at"}})
	for name, c := range map[string]struct {
		change func(*logv1.Response)
		want   string
	}{
		"nothing":                    {func(*logv1.Response) {}, ""},
		"a header behind the list":   {func(r *logv1.Response) { r.IgnoredHeaders[0].Index = 9 }, `header "x-a" has index 9`},
		"a trailer behind the list":  {func(r *logv1.Response) { r.IgnoredHeaders[0].InTrailers = true }, `has index 1 in a list of 0`},
		"a span behind the body":     {func(r *logv1.Response) { r.IgnoredSpans[0].Position = 1 << 40 }, "a span of 11 octets"},
		"a span that ends behind it": {func(r *logv1.Response) { r.IgnoredSpans[0].Octets = 1 << 20 }, "a span of 1048576 octets"},
		"a span beside":              {func(r *logv1.Response) { r.IgnoredSpans[0].Position-- }, "no placeholder"},
		"a shorter span":             {func(r *logv1.Response) { r.IgnoredSpans[0].Octets-- }, "no placeholder"},
		"no original":                {func(r *logv1.Response) { r.IgnoredSpans[0].Original = nil }, "no placeholder"},
		"a span twice":               {func(r *logv1.Response) { r.IgnoredSpans = append(r.IgnoredSpans, r.IgnoredSpans[0]) }, "a span of 11 octets"},
	} {
		t.Run(name, func(t *testing.T) {
			_, c2 := canonical(t, output.Message{
				Status: 200, Headers: list("content-type:application/json", "x-a:1"), Body: []byte(`{"at":17}`),
			}, p)
			r := record(c2)
			c.change(r)
			_, err := output.Restore(r)
			if c.want == "" && err != nil || c.want != "" && (!errors.Is(err, output.ErrNotRestored) || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("Restore = %v, want %q", err, c.want)
			}
			if _, again := output.Reapply(r, "", p); (again == nil) != (err == nil) {
				t.Errorf("Reapply = %v", again)
			}
		})
	}
	if _, err := output.Restore(&logv1.Response{Output: []byte{0xff}}); !errors.Is(err, output.ErrNotCanonical) {
		t.Errorf("no output: %v", err)
	}
}

// TestReapplyToAStream: headers go, and the digest stays.
func TestReapplyToAStream(t *testing.T) {
	recorded := compile(t, output.IgnoreRules{Headers: []string{"date"}})
	other := compile(t, output.IgnoreRules{Headers: []string{"x-a"}, JSON: []string{"/a"}})
	_, c := canonical(t, output.Message{Status: 200, Headers: list("content-type:application/json", "date:d", "content-length:7", "x-a:1")}, recorded)
	stream := func(c output.Canonicalized) []byte {
		sum := strings.Repeat("s", 32)
		o, err := output.Decode(c.Output)
		if err != nil {
			t.Fatal(err)
		}
		o.HasBody, o.StreamOctets, o.StreamSha256 = true, 7, []byte(sum)
		return encoded(t, o)
	}
	got, err := output.Reapply(&logv1.Response{Output: stream(c), IgnoredHeaders: c.Ignored}, "/", other)
	if err != nil {
		t.Fatal(err)
	}
	_, want := canonical(t, output.Message{Status: 200, Headers: list("content-type:application/json", "date:d", "content-length:7", "x-a:1")}, other)
	if !bytes.Equal(got.Output, stream(want)) {
		t.Errorf("got %x, want %x", got.Output, stream(want))
	}
}

// TestHeadersAloneCostWhatTheyDid: a policy that looks into no body makes no
// allocation that the list of headers does not need.
func TestHeadersAloneCostWhatTheyDid(t *testing.T) {
	m := output.Message{Path: "/a", Status: 200, Headers: list("content-type:application/json", "a:1"), Body: []byte(`{"at":1}`)}
	for name, c := range map[string]struct {
		policy output.IgnorePolicy
		most   float64
	}{
		"headers": {output.DefaultIgnorePolicy(), 3}, // the list, places of what is joined, the output
		"JSON":    {compile(t, output.IgnoreRules{JSON: []string{"/at"}}), 40},
	} {
		if n := testing.AllocsPerRun(100, func() {
			if _, err := output.Canonical(m, c.policy); err != nil {
				t.Error(err)
			}
		}); n > c.most {
			t.Errorf("%s: %v allocations, want at most %v", name, n, c.most)
		}
	}
}
