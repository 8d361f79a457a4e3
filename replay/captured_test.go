package replay_test

import (
	"errors"
	"net"
	"net/netip"
	"testing"

	"verbatim/replay"
	"verbatim/replay/target"
)

func TestACapturedTargetIsRefused(t *testing.T) {
	const elsewhere = "192.0.2.1" // RFC 5737: documentation
	for _, c := range []struct {
		target   string
		captured []string
		refused  bool
	}{
		{"http://127.0.0.1:8080", nil, false},
		{"http://127.0.0.1:8080", []string{"127.0.0.1:8080"}, true},
		{"h2c://127.0.0.1:8080", []string{"127.0.0.1:8080"}, true},
		{"127.0.0.1:8080", []string{"127.0.0.1:8080"}, true},
		{"http://127.0.0.1:8080/", []string{"127.0.0.1:8081", "127.0.0.1:8080"}, true},
		{"http://127.0.0.1:8080", []string{"127.0.0.1:8081"}, false},
		{"http://127.0.0.1:8080", []string{"0.0.0.0:8080"}, true},
		{"http://0.0.0.0:8080", []string{"127.0.0.1:8080"}, true},
		{"http://127.0.0.1:8080", []string{"[::]:8080"}, true},
		{"http://127.0.0.1:8080", []string{":8080"}, true},
		{"http://[::1]:8080", []string{"127.0.0.1:8080"}, true},
		{"http://[::ffff:127.0.0.1]:8080", []string{"127.0.0.1:8080"}, true},
		{"http://127.1.2.3:8080", []string{"127.0.0.1:8080"}, true},
		{"http://localhost:8080", []string{"127.0.0.1:8080"}, true},
		{"http://127.0.0.1:8080", []string{"localhost:8080"}, true},
		{"http://127.0.0.1", []string{"127.0.0.1:80"}, true},
		{"http://127.0.0.1:80", []string{"127.0.0.1:http"}, true},
		{"http://" + elsewhere + ":8080", []string{elsewhere + ":8080"}, true},
		{"http://[::ffff:" + elsewhere + "]:8080", []string{elsewhere + ":8080"}, true},
		{"http://" + elsewhere + ":8080", []string{"127.0.0.1:8080", "0.0.0.0:8080", "192.0.2.2:8080"}, false},
		{"http://[fe80::1%25lo]:8080", []string{"[fe80::1]:8080"}, true},
		{"http://127.0.0.1:8080", []string{elsewhere + ":8080", "/run/pipeline.sock", ""}, false},
	} {
		err := replay.RefuseCaptured(t.Context(), c.target, c.captured)
		if c.refused && !errors.Is(err, replay.ErrCaptured) || !c.refused && err != nil {
			t.Errorf("%s while %q is captured: %v, want refused %t", c.target, c.captured, err, c.refused)
		}
	}
}

func TestEveryAddressOfThisMachineIsTheSameTarget(t *testing.T) {
	list, err := net.InterfaceAddrs()
	if err != nil || len(list) == 0 {
		t.Fatalf("addresses %v, %v", list, err)
	}
	for _, a := range list {
		own := netip.MustParsePrefix(a.String()).Addr().String()
		for _, pair := range [][2]string{{"127.0.0.1", own}, {own, "127.0.0.1"}, {own, "0.0.0.0"}, {own, own}} {
			address := net.JoinHostPort(pair[1], "8080")
			err := replay.RefuseCaptured(t.Context(), "http://"+net.JoinHostPort(pair[0], "8080"), []string{address})
			if !errors.Is(err, replay.ErrCaptured) {
				t.Errorf("%s while %s is captured: %v", pair[0], address, err)
			}
		}
	}
}

func TestWhatCannotBeResolvedCannotBeRuledOut(t *testing.T) {
	const nowhere = "no..name:8080" // an empty label: no resolver asks for it
	for _, c := range []struct{ target, captured string }{
		{"http://" + nowhere, "127.0.0.1:8080"},
		{"http://127.0.0.1:8080", nowhere},
	} {
		var dns *net.DNSError
		if err := replay.RefuseCaptured(t.Context(), c.target, []string{c.captured}); !errors.As(err, &dns) {
			t.Errorf("%s while %s is captured: %v", c.target, c.captured, err)
		}
	}
	if err := replay.RefuseCaptured(t.Context(), "ftp://127.0.0.1:1", nil); !errors.Is(err, target.ErrAddress) {
		t.Errorf("not a target: %v", err)
	}
}
