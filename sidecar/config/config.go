// Package config holds the settings of `verbatim serve`: where they come from,
// what they are called and which values are possible.
//
// A setting has one name in two spellings. In the YAML file words are joined by
// "_" and groups are nested; as a flag words are joined by "-" and groups by ".":
// queue.max_wait in the file is --queue.max-wait. A flag wins over the file, the
// file over the default.
//
// It guarantees that a Config which passed Validate is well-formed. It does not
// guarantee that directories exist, that addresses answer or that the CEL
// expressions compile: whoever uses a setting finds that out.
package config

import (
	"strings"
	"time"

	logv1 "verbatim/proto/verbatim/log/v1"
)

// Config has every setting. Its tags are the names in the YAML file.
type Config struct {
	// Log is the log's directory.
	Log string `yaml:"log"`
	// Socket is the path of the Unix socket on which Envoy finds the sidecar.
	Socket string `yaml:"socket"`
	// Admin is the host:port of the audit API, probes and metrics.
	Admin string `yaml:"admin"`
	// Ordering is "meter", "global" or "none".
	Ordering string `yaml:"ordering"`
	// Profile is "strict", "fail-open" or "observe".
	Profile string `yaml:"profile"`
	// Position is where Envoy's filter is: "downstream" or "upstream".
	Position string `yaml:"position"`
	Queue    Queue  `yaml:"queue"`
	// ClockHeader and SeedHeader are the lower-case names of the headers that
	// carry time and randomness to the pipeline.
	ClockHeader string `yaml:"clock_header"`
	SeedHeader  string `yaml:"seed_header"`
	// FrozenClock is the file of the clock under which the pipeline runs; empty: it
	// has none but the system's.
	FrozenClock string  `yaml:"frozen_clock"`
	Capture     Capture `yaml:"capture"`
	Stream      Stream  `yaml:"stream"`
	Ignore      Ignore  `yaml:"ignore"`
	Seal        Seal    `yaml:"seal"`
	// MaxEventBytes is how large a message of an exchange may be, and
	// MaxBytesInFlight how large all of them may be together that are in flight.
	MaxEventBytes    int   `yaml:"max_event_bytes"`
	MaxBytesInFlight int64 `yaml:"max_bytes_in_flight"`
	// Oversize is what becomes of a larger one: "refuse", or "digest" to let it
	// pass and record its length and digest.
	Oversize string `yaml:"oversize"`
	// MaxGather is how long a request may take to come whole.
	MaxGather time.Duration `yaml:"max_gather"`
	// Upgrades is "refuse" or "pass": what becomes of connections that are to
	// speak another protocol.
	Upgrades   string     `yaml:"upgrades"`
	Pipeline   Pipeline   `yaml:"pipeline"`
	Envoy      Envoy      `yaml:"envoy"`
	Replay     Replay     `yaml:"replay"`
	Anchor     Anchor     `yaml:"anchor"`
	Checkpoint Checkpoint `yaml:"checkpoint"`
	Retention  Retention  `yaml:"retention"`
	Archive    Archive    `yaml:"archive"`
	Shutdown   Shutdown   `yaml:"shutdown"`
	// LogLevel is "debug", "info", "warn" or "error".
	LogLevel string `yaml:"log_level"`
	// LogFormat is "text" or "json".
	LogFormat string `yaml:"log_format"`
}

// Queue bounds the wait for a turn.
type Queue struct {
	// MaxWaiting is how many requests may wait.
	MaxWaiting int `yaml:"max_waiting"`
	// MaxWait is how long one may wait.
	MaxWait time.Duration `yaml:"max_wait"`
}

// Capture has the CEL expressions of the capture policy.
type Capture struct {
	// Meters yields a request's meter ids; empty: the built-in expression.
	Meters string `yaml:"meters"`
	// Skip says which requests are not recorded; empty: none.
	Skip string `yaml:"skip"`
	// Stream says which requests are streams, besides those by content type;
	// empty: none.
	Stream string `yaml:"stream"`
}

// Stream says what is recorded in parts, and when.
type Stream struct {
	// Types are content types; a "*" at the end stands for any rest.
	Types []string `yaml:"types"`
	// Hold is how long an answer of unknown length is held to be recorded whole.
	Hold time.Duration `yaml:"hold"`
	// MaxTurn is how long a stream keeps its turn in the pipeline.
	MaxTurn time.Duration `yaml:"max_turn"`
}

// Seal says when a checkpoint is written before its window is full.
type Seal struct {
	// MaxAge is how old the oldest unsealed entry may get; 0: any age.
	MaxAge time.Duration `yaml:"max_age"`
}

// Pipeline is the service whose exchanges are recorded.
type Pipeline struct {
	Name string `yaml:"name"`
	// Image is the digest of its image, as declared.
	Image string `yaml:"image"`
	// Protocol is what Envoy speaks to it: "h1" or "h2".
	Protocol string `yaml:"protocol"`
	// Address is its host:port, which no replay may have as its target.
	Address string `yaml:"address"`
}

// Envoy is the proxy in front of the pipeline.
type Envoy struct {
	// Admin is the URL of its admin interface, asked for counters that show
	// losses; empty: not asked.
	Admin string `yaml:"admin"`
	// Version is as declared; empty: not known.
	Version string `yaml:"version"`
}

// Replay is what the audit API may replay into.
type Replay struct {
	// Targets are known to callers by their name.
	Targets map[string]Target `yaml:"targets"`
}

// Target is an instance of the pipeline for replays.
type Target struct {
	// URL is http://host:port (HTTP/1.1) or h2c://host:port (HTTP/2).
	URL string `yaml:"url"`
	// Image is the digest of its image, as declared; empty: not known.
	Image string `yaml:"image"`
}

// Anchor says how checkpoint roots get to the contract that the log's genesis
// names.
type Anchor struct {
	// RPC is the URL of a Stellar RPC server; empty: nothing is published. It may
	// hold a secret.
	RPC string `yaml:"rpc"`
	// KeyFile has the seed of the log's writer; empty: the environment has it.
	KeyFile string `yaml:"key_file"`
	// PayerKeyFile has the seed of the account that pays, if it is not the writer;
	// empty: the environment may have it.
	PayerKeyFile string `yaml:"payer_key_file"`
	// MaxFee is the most that one transaction may cost, in stroops.
	MaxFee int64 `yaml:"max_fee"`
	// Every is how many checkpoints make an anchor due.
	Every int `yaml:"every"`
	// MinInterval is the least time between two anchors.
	MinInterval time.Duration `yaml:"min_interval"`
	// AlarmAfter is how old a checkpoint may get that is not anchored; 0: any age.
	AlarmAfter time.Duration `yaml:"alarm_after"`
}

// Environment variables that have seeds where no file is named.
const (
	EnvAnchorKey      = "VERBATIM_ANCHOR_KEY"
	EnvAnchorPayerKey = "VERBATIM_ANCHOR_PAYER_KEY"
)

// Archive says where sealed windows go.
type Archive struct {
	// URL is of the folder or bucket; empty: nothing is archived.
	URL string `yaml:"url"`
	// Rate is the most bytes a second, up and back together; 0: any number.
	Rate int64 `yaml:"rate"`
	// Interval is how often to look for what was sealed.
	Interval time.Duration `yaml:"interval"`
}

// Shutdown bounds a clean stop.
type Shutdown struct {
	// Grace is how long exchanges in flight have to finish.
	Grace time.Duration `yaml:"grace"`
}

// Default returns the settings as they are when nothing is said. Log, Socket and
// Pipeline.Address have no default and must be set.
func Default() Config {
	return Config{
		Admin:       "127.0.0.1:9910",
		Ordering:    "meter",
		Profile:     "strict",
		Position:    "downstream",
		Queue:       Queue{MaxWaiting: 1024, MaxWait: 10 * time.Second},
		ClockHeader: "x-verbatim-clock-ms",
		SeedHeader:  "x-verbatim-seed",
		Ignore:      defaultIgnore(),
		Seal:        Seal{MaxAge: time.Minute},
		Stream: Stream{
			Types: []string{"application/grpc*", "application/connect+*", "text/event-stream"},
			Hold:  250 * time.Millisecond, MaxTurn: time.Second,
		},
		MaxEventBytes: 16 << 20, MaxBytesInFlight: 256 << 20, MaxGather: 5 * time.Minute,
		Oversize: "refuse", Upgrades: "refuse",
		Pipeline:   Pipeline{Protocol: "h1"},
		Anchor:     Anchor{Every: 1, MinInterval: time.Minute, AlarmAfter: time.Hour},
		Checkpoint: Checkpoint{KeyFiles: []string{}},
		Retention:  Retention{Keep: Span(90 * day), Every: day},
		Archive:    Archive{Interval: time.Minute},
		Shutdown:   Shutdown{Grace: 10 * time.Second},
		LogLevel:   "info",
		LogFormat:  "text",
	}
}

// LogOrdering returns Ordering as the log records it.
func (c *Config) LogOrdering() logv1.Ordering {
	return logv1.Ordering(logv1.Ordering_value["ORDERING_"+strings.ToUpper(c.Ordering)])
}

// LogProfile returns Profile as the log records it.
func (c *Config) LogProfile() logv1.Profile {
	return logv1.Profile(logv1.Profile_value["PROFILE_"+strings.ToUpper(strings.ReplaceAll(c.Profile, "-", "_"))])
}

// LogPosition returns Position as the log records it.
func (c *Config) LogPosition() logv1.Position {
	return logv1.Position(logv1.Position_value["POSITION_"+strings.ToUpper(c.Position)])
}

// lowerNames brings header names to the form in which Envoy shows them.
func (c *Config) lowerNames() {
	c.ClockHeader = strings.ToLower(c.ClockHeader)
	c.SeedHeader = strings.ToLower(c.SeedHeader)
	for i, name := range c.Ignore.Headers {
		c.Ignore.Headers[i] = strings.ToLower(name)
	}
}
