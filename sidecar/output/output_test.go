package output_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/output"
)

// list makes a header list of "name: value" lines, the space after the colon
// being part of the value.
func list(lines ...string) []*logv1.Header {
	var l []*logv1.Header
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ":")
		l = append(l, &logv1.Header{Name: []byte(name), Value: []byte(value)})
	}
	return l
}

func lines(l []*logv1.Header) []string {
	var s []string
	for _, h := range l {
		s = append(s, string(h.GetName())+":"+string(h.GetValue()))
	}
	return s
}

func TestCanonicalLists(t *testing.T) {
	tests := []struct {
		name             string
		headers, want    []string
		trailers, wantTr []string
		status           int
		ignored          []string
	}{
		{name: "order and case", headers: []string{"X-B:1", "x-a:2", "X-b:3"}, want: []string{"x-b:1", "x-a:2", "x-b:3"}},
		{name: "white space", headers: []string{"a: \t1 2\t ", "b:  ", "c:"}, want: []string{"a:1 2", "b:", "c:"}},
		{name: "only optional white space is trimmed", headers: []string{"a:\u00a01\v"}, want: []string{"a:\u00a01\v"}},
		{name: "names of other octets stay", headers: []string{"X-\u00c9:1"}, want: []string{"x-\u00c9:1"}},
		{name: "set-cookie stays apart", headers: []string{"set-cookie:a", "x:1", "Set-Cookie:a"}, want: []string{"set-cookie:a", "x:1", "set-cookie:a"}},
		{name: "joined", headers: []string{"Vary:a", "x:1", "vary: b", "etag:c", "VARY:d, e"}, want: []string{"vary:a,b,d, e", "x:1", "etag:c"}},
		{name: "joined with empty values", headers: []string{"vary:", "vary:b", "vary: ", "age:", "age:"}, want: []string{"vary:b", "age:"}},
		{name: "joined already", headers: []string{"vary:a,b"}, want: []string{"vary:a,b"}},
		{name: "hop-by-hop", headers: []string{"Connection:close", "keep-alive:5", "Proxy-Connection:a", "te:b", "Transfer-Encoding:chunked", "upgrade:c", "trailer:x"}, want: []string{"trailer:x"}},
		{name: "named by connection", headers: []string{"x-a:1", "connection: X-A ,,", "x-b:2"}, want: []string{"x-a:1", "x-b:2"}},
		{name: "named by connection, in trailers", headers: []string{"connection:x-a"}, trailers: []string{"x-a:1", "x-b:2"}, wantTr: []string{"x-a:1", "x-b:2"}},
		{name: "trailers", trailers: []string{"X-T: 1 ", "etag:a", "grpc-status:0", "etag:b", "grpc-status:1", "te:a"}, wantTr: []string{"x-t:1", "etag:a", "grpc-status:0,1", "etag:b"}},
		{name: "content-length stays", headers: []string{"content-length:0"}, want: []string{"content-length:0"}},
		{name: "content-length of 204", status: 204, headers: []string{"a:1", "Content-Length:0", "b:2"}, want: []string{"a:1", "b:2"}},
		{
			name: "ignored", headers: []string{"te:x", "a:1", "Date:d1", "b:2", "x-request-id:r", "date: d2"}, want: []string{"a:1", "b:2"},
			trailers: []string{"x-t:1", "DATE:d3"}, wantTr: []string{"x-t:1"},
			ignored: []string{"1 date:d1,d2 false", "3 x-request-id:r false", "1 date:d3 true"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.status == 0 {
				tt.status = 200
			}
			m := output.Message{Status: tt.status, Headers: list(tt.headers...), Trailers: list(tt.trailers...)}
			before := append(lines(m.Headers), lines(m.Trailers)...)
			c, err := output.Canonical(m, output.DefaultIgnorePolicy())
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(before, append(lines(m.Headers), lines(m.Trailers)...)); d != "" {
				t.Errorf("Canonical changed the message:\n%s", d)
			}
			o, err := output.Decode(c.Output)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.want, lines(o.GetHeaders())); d != "" {
				t.Errorf("headers (-want +got):\n%s", d)
			}
			if d := cmp.Diff(tt.wantTr, lines(o.GetTrailers())); d != "" {
				t.Errorf("trailers (-want +got):\n%s", d)
			}
			var ignored []string
			for _, i := range c.Ignored {
				ignored = append(ignored, fmt.Sprintf("%d %s:%s %v", i.GetIndex(), i.GetName(), i.GetValue(), i.GetInTrailers()))
			}
			if d := cmp.Diff(tt.ignored, ignored); d != "" {
				t.Errorf("ignored (-want +got):\n%s", d)
			}
			if c.Hash != sha256.Sum256(c.Output) {
				t.Error("Hash is not SHA-256(Output)")
			}
		})
	}
}

// Every name that Envoy joins gives one field; a sample of others gives two.
func TestCanonicalJoins(t *testing.T) {
	for name, want := range map[string]int{
		"access-control-max-age": 1, "content-type": 1, "x-envoy-upstream-service-time": 1, "last-modified": 1,
		"link": 2, "warning": 2, "www-authenticate": 2, "x-forwarded-for": 2, "content-language": 2,
	} {
		c, err := output.Canonical(output.Message{Status: 200, Headers: list(name+":1", name+":2")}, output.IgnorePolicy{})
		if err != nil {
			t.Fatal(err)
		}
		o, err := output.Decode(c.Output)
		if err != nil {
			t.Fatal(err)
		}
		if got := len(o.GetHeaders()); got != want {
			t.Errorf("%s twice: %d fields, want %d", name, got, want)
		}
	}
}

func TestCanonicalBody(t *testing.T) {
	for _, body := range [][]byte{nil, {}, []byte("x"), make([]byte, 1<<20)} {
		c, err := output.Canonical(output.Message{Status: 200, Body: body}, output.DefaultIgnorePolicy())
		if err != nil {
			t.Fatal(err)
		}
		o, err := output.Decode(c.Output)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(o.GetBody(), body) || o.GetHasBody() != (len(body) > 0) {
			t.Errorf("body of %d octets: got %d, has_body %v", len(body), len(o.GetBody()), o.GetHasBody())
		}
		if cap(c.Output) > len(body)+1024 {
			t.Errorf("body of %d octets: Output has capacity %d", len(body), cap(c.Output))
		}
	}
}

func TestCanonicalRefuses(t *testing.T) {
	tests := []struct {
		m    output.Message
		want error
	}{
		{output.Message{}, output.ErrStatus},
		{output.Message{Status: 100}, output.ErrStatus},
		{output.Message{Status: 199}, output.ErrStatus},
		{output.Message{Status: -1}, output.ErrStatus},
		{output.Message{Status: 65536}, output.ErrStatus},
		{output.Message{Status: 200, Headers: list(":status:200")}, output.ErrName},
		{output.Message{Status: 200, Headers: []*logv1.Header{{}}}, output.ErrName},
		{output.Message{Status: 200, Trailers: list(":a:1")}, output.ErrName},
	}
	for _, tt := range tests {
		if _, err := output.Canonical(tt.m, output.DefaultIgnorePolicy()); !errors.Is(err, tt.want) {
			t.Errorf("Canonical(%v) = %v, want %v", tt.m, err, tt.want)
		}
	}
	if _, err := output.Canonical(output.Message{Status: 101}, output.DefaultIgnorePolicy()); err != nil {
		t.Errorf("101 as a final response: %v", err)
	}
}

func TestSplitStatus(t *testing.T) {
	all := []*logv1.Header{{Name: []byte(":status"), Value: []byte("404")}, {Name: []byte("a")}}
	status, rest, err := output.SplitStatus(all)
	if err != nil || status != 404 || len(rest) != 1 || rest[0] != all[1] {
		t.Errorf("got %d, %v, %v", status, rest, err)
	}
	for _, bad := range [][]*logv1.Header{
		nil, {all[1], all[0]}, {{Name: []byte(":status")}}, {{Name: []byte(":status"), Value: []byte("2x0")}},
		{{Name: []byte(":status"), Value: []byte("99")}}, {{Name: []byte(":status"), Value: []byte("65536")}},
	} {
		if _, _, err := output.SplitStatus(bad); !errors.Is(err, output.ErrStatus) {
			t.Errorf("SplitStatus(%v) = %v", bad, err)
		}
	}
}
