package config

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// checkAddress wants host:port, the port a number of at least minPort. With 0 the
// kernel chooses one; an empty host, possible then only, means all interfaces.
func checkAddress(setting, address string, minPort int) error {
	host, port, err := net.SplitHostPort(address)
	if err != nil || port == "" || (host == "" && minPort > 0) {
		return fmt.Errorf("%s: %q is not of the form host:port", setting, address)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || int(n) < minPort {
		return fmt.Errorf("%s: the port of %q is no number from %d to 65535", setting, address, minPort)
	}
	return nil
}

// hostPort returns the address of a target's URL.
func hostPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = "80"
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// sameAddress compares two valid addresses without asking anyone what a name
// means, but for "localhost". Who dials must look again.
func sameAddress(a, b string) bool {
	hostA, portA, errA := net.SplitHostPort(a)
	hostB, portB, errB := net.SplitHostPort(b)
	if errA != nil || errB != nil || portA != portB {
		return false
	}
	return sameHost(hostA, hostB)
}

func sameHost(a, b string) bool {
	ipA, errA := netip.ParseAddr(a)
	ipB, errB := netip.ParseAddr(b)
	switch {
	case errA == nil && errB == nil:
		return ipA.Unmap() == ipB.Unmap()
	case errA == nil:
		return isLocalhost(b, ipA)
	case errB == nil:
		return isLocalhost(a, ipB)
	default:
		return strings.EqualFold(a, b)
	}
}

func isLocalhost(name string, ip netip.Addr) bool {
	ip = ip.Unmap()
	return strings.EqualFold(name, "localhost") &&
		(ip == netip.IPv6Loopback() || ip == netip.AddrFrom4([4]byte{127, 0, 0, 1}))
}
