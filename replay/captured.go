package replay

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"

	"verbatim/replay/target"
)

// ErrCaptured says that what a replay would be sent to is recorded itself.
var ErrCaptured = errors.New("target is being captured")

// RefuseCaptured fails with ErrCaptured if the target (an address as target.New
// takes it) is one of the captured addresses, each "host:port": the port is the
// same, and the IP address is too, or both are addresses of this machine. Any
// address that a name stands for counts. What can't be resolved can't be ruled
// out, so that is an error too. A captured address without a port is no TCP
// address, and no target.
//
// An address that a proxy or a router translates can't be seen from here: the
// recorded clock and seed that each replayed request brings tell capture then.
func RefuseCaptured(ctx context.Context, targetURL string, captured []string) error {
	t, err := target.New(targetURL, target.Options{Protocol: target.HTTP1})
	if err != nil {
		return err
	}
	aim, err := resolve(ctx, t.Address())
	if err != nil {
		return fmt.Errorf("resolve target %s: %w", targetURL, err)
	}
	local, err := machineAddresses()
	if err != nil {
		return err
	}
	for _, address := range captured {
		if _, _, err := net.SplitHostPort(address); err != nil {
			continue
		}
		c, err := resolve(ctx, address)
		if err != nil {
			return fmt.Errorf("resolve captured address %s: %w", address, err)
		}
		if aim.meets(c, local) {
			return fmt.Errorf("%w: %s leads to %s, whose traffic is recorded; name another instance of the pipeline",
				ErrCaptured, targetURL, address)
		}
	}
	return nil
}

// endpoint is what a host and a port stand for.
type endpoint struct {
	port int
	ips  []netip.Addr
}

func resolve(ctx context.Context, address string) (endpoint, error) {
	host, service, err := net.SplitHostPort(address)
	if err != nil {
		return endpoint{}, err
	}
	port, err := net.DefaultResolver.LookupPort(ctx, "tcp", service)
	if err != nil {
		return endpoint{}, err
	}
	if host == "" { // how a listener on all addresses is written
		return endpoint{port: port, ips: []netip.Addr{netip.IPv6Unspecified()}}, nil
	}
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	for i, ip := range ips {
		ips[i] = ip.Unmap().WithZone("")
	}
	return endpoint{port: port, ips: ips}, err
}

// meets says whether a connection to e can arrive at c.
func (e endpoint) meets(c endpoint, local []netip.Addr) bool {
	if e.port != c.port {
		return false
	}
	here := func(ip netip.Addr) bool {
		return ip.IsLoopback() || ip.IsUnspecified() || slices.Contains(local, ip)
	}
	if slices.ContainsFunc(e.ips, here) && slices.ContainsFunc(c.ips, here) {
		return true
	}
	return slices.ContainsFunc(e.ips, func(ip netip.Addr) bool { return slices.Contains(c.ips, ip) })
}

// machineAddresses are those of this machine's interfaces.
func machineAddresses() ([]netip.Addr, error) {
	list, err := net.InterfaceAddrs()
	if err != nil {
		return nil, fmt.Errorf("list this machine's addresses: %w", err)
	}
	var ips []netip.Addr
	for _, a := range list {
		if p, err := netip.ParsePrefix(a.String()); err == nil {
			ips = append(ips, p.Addr().Unmap().WithZone(""))
		}
	}
	return ips, nil
}
