package config

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// Limits of what a setting may say.
const (
	// maxSocketPath is the length of sun_path less its final zero (unix(7)).
	maxSocketPath = 107
	minEventBytes = 1 << 10
	// maxEventBytes stays well below protobuf's limit of 2 GiB a message, for an
	// entry holds more than the body.
	maxEventBytes = 1 << 30
)

// Validate returns nil, or one sentence that names a setting, as the file spells
// it, and what it takes.
func (c *Config) Validate() error {
	for _, check := range []func() error{
		c.checkRequired, c.checkChoices, c.checkBounds, c.checkHeaders, c.checkAddresses, c.checkTargets, c.checkAnchor, c.checkCheckpoint,
		c.checkRetention,
		c.checkArchive,
	} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func (c *Config) checkRequired() error {
	for _, s := range []struct{ name, value, want string }{
		{"log", c.Log, "the directory that verbatim init made"},
		{"socket", c.Socket, "the path of the Unix socket that Envoy connects to"},
		{"pipeline.address", c.Pipeline.Address, "the host:port where Envoy reaches the pipeline"},
	} {
		if s.value == "" {
			return fmt.Errorf("%s is not set: say %s, in the file or as --%s", s.name, s.want, s.name)
		}
	}
	if strings.Contains(c.Log, "://") {
		return errors.New("log: it is a URL, and serve records into a directory: archive.url says where that is archived")
	}
	if len(c.Socket) > maxSocketPath {
		return fmt.Errorf("socket: the path has %d bytes, at most %d are possible", len(c.Socket), maxSocketPath)
	}
	return nil
}

func (c *Config) checkChoices() error {
	for _, s := range []struct {
		name, value string
		choices     []string
	}{
		{"ordering", c.Ordering, []string{"meter", "global", "none"}},
		{"profile", c.Profile, []string{"strict", "fail-open", "observe"}},
		{"position", c.Position, []string{"downstream", "upstream"}},
		{"pipeline.protocol", c.Pipeline.Protocol, []string{"h1", "h2"}},
		{"oversize", c.Oversize, []string{"refuse", "digest"}},
		{"upgrades", c.Upgrades, []string{"refuse", "pass"}},
		{"log_level", c.LogLevel, []string{"debug", "info", "warn", "error"}},
		{"log_format", c.LogFormat, []string{"text", "json"}},
	} {
		if !slices.Contains(s.choices, s.value) {
			return fmt.Errorf("%s: %q is none of %s", s.name, s.value, strings.Join(s.choices, ", "))
		}
	}
	return c.checkTogether()
}

// checkTogether refuses choices that exclude each other.
func (c *Config) checkTogether() error {
	switch {
	case c.FrozenClock != "" && c.Ordering != "global":
		return fmt.Errorf("frozen_clock: a pipeline has one clock, so one event may be in it at a time: set ordering to global, not %s", c.Ordering)
	case c.Profile == "observe" && c.Ordering != "none":
		return fmt.Errorf("ordering: %q is not possible with profile observe, in which nothing waits for a turn; set ordering to none", c.Ordering)
	case c.Position == "upstream" && c.Pipeline.Protocol == "h1" && c.Ordering != "none":
		return fmt.Errorf("position: upstream with ordering %q can deadlock on a pipeline of HTTP/1.1, "+
			"whose connections are held by the requests that wait; set ordering to none, or position to downstream", c.Ordering)
	}
	return nil
}

func (c *Config) checkBounds() error {
	switch {
	case c.Queue.MaxWaiting < 1:
		return fmt.Errorf("queue.max_waiting: %d is less than 1", c.Queue.MaxWaiting)
	case c.Queue.MaxWait <= 0:
		return fmt.Errorf("queue.max_wait: %v is not more than 0s", c.Queue.MaxWait)
	case c.Stream.Hold < 0:
		return fmt.Errorf("stream.hold: %v is less than 0s, which means not at all", c.Stream.Hold)
	case c.Stream.MaxTurn <= 0:
		return fmt.Errorf("stream.max_turn: %v is not more than 0s", c.Stream.MaxTurn)
	case c.Seal.MaxAge < 0:
		return fmt.Errorf("seal.max_age: %v is less than 0s, which means any age", c.Seal.MaxAge)
	case c.Shutdown.Grace <= 0:
		return fmt.Errorf("shutdown.grace: %v is not more than 0s", c.Shutdown.Grace)
	case c.MaxEventBytes < minEventBytes || c.MaxEventBytes > maxEventBytes:
		return fmt.Errorf("max_event_bytes: %d is not between %d and %d", c.MaxEventBytes, minEventBytes, maxEventBytes)
	case c.MaxBytesInFlight < int64(c.MaxEventBytes):
		return fmt.Errorf("max_bytes_in_flight: %d is less than max_event_bytes (%d)", c.MaxBytesInFlight, c.MaxEventBytes)
	case c.MaxGather <= 0:
		return fmt.Errorf("max_gather: %v is not more than 0s", c.MaxGather)
	}
	return nil
}

func (c *Config) checkHeaders() error {
	for _, h := range []struct{ setting, name string }{
		{"clock_header", c.ClockHeader}, {"seed_header", c.SeedHeader},
	} {
		if err := checkHeader(h.setting, h.name); err != nil {
			return err
		}
	}
	if strings.EqualFold(c.ClockHeader, c.SeedHeader) {
		return fmt.Errorf("seed_header: %q is the clock_header already", c.SeedHeader)
	}
	for _, name := range c.Ignore.Headers {
		if err := checkHeader("ignore.headers", name); err != nil {
			return err
		}
	}
	return nil
}

func checkHeader(setting, name string) error {
	if !httpguts.ValidHeaderFieldName(name) {
		return fmt.Errorf("%s: %q is no header name (RFC 9110, token)", setting, name)
	}
	return nil
}

func (c *Config) checkAddresses() error {
	if err := checkAddress("admin", c.Admin, 0); err != nil {
		return err
	}
	if err := checkAddress("pipeline.address", c.Pipeline.Address, 1); err != nil {
		return err
	}
	if c.Envoy.Admin == "" {
		return nil
	}
	if _, err := serverURL(c.Envoy.Admin, "http", "https"); err != nil {
		return fmt.Errorf("envoy.admin: %w", err)
	}
	return nil
}

func (c *Config) checkTargets() error {
	for _, name := range slices.Sorted(maps.Keys(c.Replay.Targets)) {
		if name == "" || strings.ContainsAny(name, "=\n") {
			return fmt.Errorf("replay.targets: %q is no name of a target", name)
		}
		u, err := serverURL(c.Replay.Targets[name].URL, "http", "h2c")
		if err != nil {
			return fmt.Errorf("replay.targets.%s.url: %w", name, err)
		}
		if sameAddress(hostPort(u), c.Pipeline.Address) {
			return fmt.Errorf("replay.targets.%s.url: %s is the address that is being captured; name another instance", name, u)
		}
	}
	return nil
}

// shown quotes what should be a URL, but not if it can hold a password.
func shown(text string) string {
	if strings.Contains(text, "@") {
		return "the text, which has an @ and is not shown,"
	}
	return strconv.Quote(text)
}

// serverURL parses the URL of a server, not of something on it, with one of the
// schemes.
func serverURL(text string, schemes ...string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || !slices.Contains(schemes, u.Scheme) || u.Hostname() == "" {
		return nil, fmt.Errorf("%s is no URL of the form %s://host:port", shown(text), strings.Join(schemes, ":// or "))
	}
	if strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return nil, errors.New("a URL with more than scheme, host and port is not possible here")
	}
	return u, nil
}
