package replay

import (
	"slices"
	"strings"
	"testing"

	logv1 "verbatim/proto/verbatim/log/v1"
)

func out(status uint32, body string, headers ...string) *logv1.Output {
	o := &logv1.Output{Status: status, HasBody: body != "", Body: []byte(body)}
	for i := 0; i < len(headers); i += 2 {
		o.Headers = append(o.Headers, &logv1.Header{Name: []byte(headers[i]), Value: []byte(headers[i+1])})
	}
	return o
}

func TestDiffSaysWhatDiffers(t *testing.T) {
	long := strings.Repeat("n", 1000)
	for name, c := range map[string]struct {
		a, b *logv1.Output
		want []string
	}{
		"nothing": {out(200, "x", "a", "b"), out(200, "x", "a", "b"), nil},
		"status":  {out(200, ""), out(503, ""), []string{"- status 200", "+ status 503"}},
		"header": {out(200, "", "a", "1", "b", "2", "c", "3"), out(200, "", "a", "1", "b", "9", "c", "3"),
			[]string{"- header b: 2", "+ header b: 9"}},
		"secret header": {out(200, "", "set-cookie", "s=1"), out(200, "", "set-cookie", "s=2"),
			[]string{"- header set-cookie: [hidden], value 1", "+ header set-cookie: [hidden], value 2"}},
		"JSON fields": {out(200, `{"a":1,"b":{"c/d":[1,2]},"gone":true}`), out(200, `{"a":1,"b":{"c/d":[1,3]},"new":0}`),
			[]string{"- body /b/c~1d/1: 2", "+ body /b/c~1d/1: 3", "- body /gone: true", "+ body /new: 0"}},
		"big numbers": {out(200, `{"t":18446744073709551615}`), out(200, `{"t":18446744073709551614}`),
			[]string{"- body /t: 18446744073709551615", "+ body /t: 18446744073709551614"}},
		"JSON text alone": {out(200, `{"a":1}`), out(200, `{"a": 1}`),
			[]string{`- body line 1: {"a":1}`, `+ body line 1: {"a": 1}`}},
		"lines": {out(200, "a\nb\nc"), out(200, "a\nx\nc"), []string{"- body line 2: b", "+ body line 2: x"}},
		"a long line shows where it differs": {out(200, "a\n"+long+"xy"), out(200, "a\n"+long+"z\n"+long), []string{
			"- body line 2: ..." + long[:198] + "xy... (1002 octets, from octet 802)",
			"+ body line 2: ..." + long[:199] + "z... (1001 octets, from octet 801)", "+ body line 3: " + long[:200] + "... (1000 octets)"}},
		"a long value shows where it differs": {out(200, `{"a":"`+long+`x`+long+`"}`), out(200, `{"a":"`+long+`y`+long+`"}`), []string{
			"- body /a: ..." + long[:40] + "x" + long[:159] + "... (2003 octets, from octet 961)",
			"+ body /a: ..." + long[:40] + "y" + long[:159] + "... (2003 octets, from octet 961)"}},
		"octets in the middle": {out(200, long+"\xff"+long), out(200, long+"\xfe"), []string{
			"- body of 2001 octets, from octet 992: 6e 6e 6e 6e 6e 6e 6e 6e ff 6e 6e 6e 6e 6e 6e 6e",
			"+ body of 1001 octets, from octet 992: 6e 6e 6e 6e 6e 6e 6e 6e fe", "  they part at octet 1000"}},
		"octets": {out(200, "\xff\x00\x01"), out(200, "\xff\x00\x02"), []string{
			"- body of 3 octets, from octet 0: ff 00 01", "+ body of 3 octets, from octet 0: ff 00 02", "  they part at octet 2"}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Diff(c.a, c.b); !slices.Equal(got, c.want) {
				t.Errorf("got %q\nwant %q", got, c.want)
			}
		})
	}
}
