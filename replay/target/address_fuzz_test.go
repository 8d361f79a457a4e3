package target

import (
	"errors"
	"strings"
	"testing"
)

// FuzzAddress: an address is refused in one line, or names a host and a port which mean
// the same when they are given.
func FuzzAddress(f *testing.F) {
	for _, seed := range []string{
		"http://a:80", "h2c://[::1]:1", "HTTP://a/", "a", "a:1\n2", "http://u:p@a", "http://a?b", "ftp://a", "://", "[::1", ":80", "a:+1", "http://a:80:80", "http://%61:1",
	} {
		f.Add(seed, true)
		f.Add(seed, false)
	}
	f.Fuzz(func(t *testing.T, address string, known bool) {
		var o Options
		if known {
			o.Protocol = HTTP1
		}
		a, err := New(address, o)
		if err != nil {
			if !errors.Is(err, ErrAddress) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%q is refused with %q", address, err)
			}
			return
		}
		again, err := New(a.Address(), Options{Protocol: a.protocol})
		if err != nil || again.Address() != a.Address() || again.protocol != a.protocol {
			t.Errorf("%q leads to %q, and that to %v, %v", address, a.Address(), again, err)
		}
	})
}
