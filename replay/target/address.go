package target

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
)

// Protocol is what a target speaks, as Start.pipeline.protocol names it.
type Protocol string

// The protocols.
const (
	HTTP1 Protocol = "http/1.1"
	HTTP2 Protocol = "h2"
)

// DefaultMaxBody is the limit of an answer's body in octets, 64 MiB.
const DefaultMaxBody = 64 << 20

// ErrAddress says that a text names no target.
var ErrAddress = errors.New("not a target address")

// Options of a Target; zero values mean the defaults.
type Options struct {
	// Protocol of an address that has no scheme. Default: a scheme is required.
	// With Via it is what the pipeline speaks, scheme or not.
	Protocol Protocol
	// MaxBody is the most octets that an answer's body may have. Default:
	// DefaultMaxBody.
	MaxBody int64
	// Via says that the address is a listener of an Envoy before the pipeline: each
	// request is sent as a client sends it for which that Envoy sends the recorded
	// one on, in the protocol that the recorded client spoke.
	Via bool
}

// New makes a Target of "http://host:port" (HTTP/1.1), "h2c://host:port"
// (HTTP/2 with prior knowledge) or, where Options.Protocol says what is spoken
// there, "host:port". The port is 80 where none is given. It opens no connection.
func New(address string, o Options) (*Target, error) {
	protocol, host := o.Protocol, address
	if strings.Contains(address, "@") {
		return nil, fmt.Errorf("%w: it has an @, and no target takes a user's name or password", ErrAddress) // nor does an error show them
	}
	if scheme, _, ok := strings.Cut(address, "://"); ok {
		u, err := url.Parse(address)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrAddress, err)
		}
		switch strings.ToLower(scheme) {
		case "http":
			protocol = HTTP1
		case "h2c":
			protocol = HTTP2
		default:
			return nil, fmt.Errorf("%w: %q has the scheme %q; use http:// for HTTP/1.1 or h2c:// for HTTP/2", ErrAddress, address, scheme)
		}
		if u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || u.Path != "" && u.Path != "/" {
			return nil, fmt.Errorf("%w: %q has more than a host and a port; paths come from the recorded requests", ErrAddress, address)
		}
		host = u.Host
	}
	if protocol != HTTP1 && protocol != HTTP2 {
		return nil, fmt.Errorf("%w: %q does not say what is spoken there; begin it with http:// or h2c://", ErrAddress, address)
	}
	host, err := withPort(host)
	if err != nil {
		return nil, fmt.Errorf("%w: %q: %w", ErrAddress, address, err)
	}
	if o.MaxBody <= 0 {
		o.MaxBody = DefaultMaxBody
	}
	return &Target{address: host, protocol: protocol, maxBody: o.MaxBody, via: o.Via, pipeline: o.Protocol}, nil
}

func withPort(host string) (string, error) {
	name, port, err := net.SplitHostPort(host)
	if err != nil {
		name, port, err = net.SplitHostPort(host + ":80")
	}
	if bad := (*net.AddrError)(nil); errors.As(err, &bad) {
		return "", errors.New(bad.Err) // without the address, which the caller quotes
	}
	if err != nil {
		return "", err
	}
	if name == "" || port == "" {
		return "", errors.New("a host or a port is missing")
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return "", fmt.Errorf("the port %q is no number up to 65535", port)
	}
	return net.JoinHostPort(name, port), nil
}

// Address is the host and the port to which the target connects.
func (t *Target) Address() string { return t.address }
