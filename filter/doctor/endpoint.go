package doctor

import (
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// endpoint is where a cluster connects to: a socket's path, or host and port.
type endpoint struct {
	pipe string
	host string
	port uint32
}

func (e endpoint) String() string {
	if e.pipe != "" {
		return e.pipe
	}
	return net.JoinHostPort(e.host, strconv.FormatUint(uint64(e.port), 10))
}

func parseEndpoint(hostPort string) (endpoint, bool) {
	host, port, err := net.SplitHostPort(hostPort)
	if err != nil {
		return endpoint{}, false
	}
	n, err := strconv.ParseUint(port, 10, 16)
	return endpoint{host: host, port: uint32(n)}, err == nil
}

// meets says whether both lead to the same listener: equal, or both this machine's
// loopback under different names.
func (e endpoint) meets(o endpoint) bool {
	if e.pipe != "" || o.pipe != "" {
		return e.pipe == o.pipe
	}
	return e.port == o.port && (strings.EqualFold(e.host, o.host) || loopback(e.host) && loopback(o.host))
}

func loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && (ip.IsLoopback() || ip.IsUnspecified())
}
