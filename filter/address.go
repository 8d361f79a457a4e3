package filter

import (
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"strconv"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
)

// maxSocketPath is the longest path of a Unix socket in bytes: sun_path less
// its closing NUL, see unix(7).
const maxSocketPath = 107

// bindAddress reads an address that Envoy binds: an IP address, since Envoy
// resolves no names there, and a port that may be 0.
func bindAddress(what, address string) (*corev3.Address, error) {
	host, port, err := splitAddress(what, address)
	if err != nil {
		return nil, err
	}
	ip, err := netip.ParseAddr(host)
	if err != nil || ip.Zone() != "" {
		return nil, fmt.Errorf("%s address %q: %q is not an IP address: give IP:port, such as 127.0.0.1:10000", what, address, host)
	}
	return socketAddress(ip.String(), port), nil
}

// splitAddress reads host:port with a numeric port and a host that is not empty.
func splitAddress(what, address string) (host string, port uint16, err error) {
	host, portText, err := net.SplitHostPort(address)
	if err != nil || host == "" {
		return "", 0, fmt.Errorf("%s address %q: give it as host:port, such as 127.0.0.1:10000", what, address)
	}
	n, err := strconv.ParseUint(portText, 10, 16)
	if err != nil {
		return "", 0, fmt.Errorf("%s address %q: port %q is not a number from 0 to 65535", what, address, portText)
	}
	return host, uint16(n), nil
}

// checkSocketPath refuses what no Unix socket can be or what would depend on
// the directory that Envoy is started in.
func checkSocketPath(path string) error {
	switch {
	case path == "":
		return fmt.Errorf("sidecar socket is missing: give the path of the Unix socket that the sidecar listens on")
	case !filepath.IsAbs(path):
		return fmt.Errorf("sidecar socket %q is a relative path: give an absolute one", path)
	case len(path) > maxSocketPath:
		return fmt.Errorf("sidecar socket %q has %d bytes: a Unix socket's path has at most %d", path, len(path), maxSocketPath)
	}
	return nil
}

// socketAddress is Envoy's form of an address over TCP.
func socketAddress(host string, port uint16) *corev3.Address {
	return &corev3.Address{Address: &corev3.Address_SocketAddress{SocketAddress: &corev3.SocketAddress{
		Address:       host,
		PortSpecifier: &corev3.SocketAddress_PortValue{PortValue: uint32(port)},
	}}}
}
