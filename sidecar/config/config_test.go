package config

import (
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"

	logv1 "verbatim/proto/verbatim/log/v1"
)

// valid is the least that passes Validate.
func valid() Config {
	c := Default()
	c.Log, c.Socket, c.Pipeline.Address = "/log", "/s.sock", "127.0.0.1:8080"
	return c
}

// settingNames lists the dotted YAML names of all settings in t.
func settingNames(t reflect.Type, prefix string) []string {
	var names []string
	for i := range t.NumField() {
		f := t.Field(i)
		name := prefix + f.Tag.Get("yaml")
		if f.Type.Kind() == reflect.Struct {
			names = append(names, settingNames(f.Type, name+".")...)
		} else {
			names = append(names, name)
		}
	}
	return names
}

func TestEverySettingIsAFlag(t *testing.T) {
	c := Default()
	fs := pflag.NewFlagSet("", pflag.ContinueOnError)
	c.BindFlags(fs)
	var want, got []string
	for _, name := range settingNames(reflect.TypeFor[Config](), "") {
		want = append(want, strings.ReplaceAll(name, "_", "-"))
	}
	fs.SortFlags = false
	fs.VisitAll(func(f *pflag.Flag) {
		if f.Name != "config" {
			got = append(got, f.Name)
		}
	})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("settings (-) and flags (+) differ:\n%s", diff)
	}
}

// TestExampleFile keeps the example true: it shows every setting with its default
// and a comment on its line.
func TestExampleFile(t *testing.T) {
	const path = "../../deploy/verbatim.yaml"
	got, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := got.Validate(); err != nil {
		t.Error(err)
	}
	want := Default()
	want.Log, want.Socket, want.Pipeline.Address = got.Log, got.Socket, got.Pipeline.Address
	want.Replay.Targets = map[string]Target{}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("defaults (-) and example (+) differ:\n%s", diff)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range settingNames(reflect.TypeFor[Config](), "") {
		if comment(t, b, name) == "" {
			t.Errorf("%s: %s is missing or has no comment on its line", path, name)
		}
	}
}

// comment returns the comment on the line of a setting.
func comment(t *testing.T, b []byte, name string) string {
	t.Helper()
	var doc yaml.Node
	if err := yaml.Unmarshal(b, &doc); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(b), "\n")
	for _, k := range keysOf(b) {
		if k.path == name {
			_, after, _ := strings.Cut(lines[k.line-1], " # ")
			return after
		}
	}
	return ""
}

func TestLogOrdering(t *testing.T) {
	for text, want := range map[string]logv1.Ordering{
		"meter":  logv1.Ordering_ORDERING_METER,
		"global": logv1.Ordering_ORDERING_GLOBAL,
		"none":   logv1.Ordering_ORDERING_NONE,
		"other":  logv1.Ordering_ORDERING_UNSPECIFIED,
	} {
		c := Config{Ordering: text}
		if got := c.LogOrdering(); got != want {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
}

func TestValidate(t *testing.T) {
	target := func(url string) func(*Config) {
		return func(c *Config) { c.Replay.Targets = map[string]Target{"staging": {URL: url}} }
	}
	tests := []struct {
		name   string
		change func(*Config)
		want   string
	}{
		{"valid", func(*Config) {}, ""},
		{"no log", func(c *Config) { c.Log = "" }, "log is not set: say the directory that verbatim init made, in the file or as --log"},
		{"no socket", func(c *Config) { c.Socket = "" }, "socket is not set"},
		{"no pipeline", func(c *Config) { c.Pipeline.Address = "" }, "pipeline.address is not set"},
		{"longest socket", func(c *Config) { c.Socket = strings.Repeat("s", 107) }, ""},
		{"long socket", func(c *Config) { c.Socket = strings.Repeat("s", 108) }, "socket: the path has 108 bytes, at most 107"},
		{"ordering", func(c *Config) { c.Ordering = "Meter" }, `ordering: "Meter" is none of meter, global, none`},
		{"frozen", func(c *Config) { c.FrozenClock, c.Ordering = "/clock", "global" }, ""},
		{"frozen by meter", func(c *Config) { c.FrozenClock = "/clock" }, "frozen_clock: a pipeline has one clock, so one event may be in it at a time: set ordering to global, not meter"},
		{"protocol", func(c *Config) { c.Pipeline.Protocol = "h3" }, `pipeline.protocol: "h3" is none of h1, h2`},
		{"level", func(c *Config) { c.LogLevel = "loud" }, `log_level: "loud" is none of debug, info, warn, error`},
		{"format", func(c *Config) { c.LogFormat = "" }, `log_format: "" is none of text, json`},
		{"max_waiting", func(c *Config) { c.Queue.MaxWaiting = 0 }, "queue.max_waiting: 0 is less than 1"},
		{"max_wait", func(c *Config) { c.Queue.MaxWait = 0 }, "queue.max_wait: 0s is not more than 0s"},
		{"for ever", func(c *Config) { c.Retention.Keep = 0 }, ""},
		{"keep", func(c *Config) { c.Retention.Keep = Span(-day) }, "retention.keep: -1d is less than 0, which means for ever"},
		{"every", func(c *Config) { c.Retention.Every = time.Millisecond }, "retention.every: 1ms is less than 1s"},
		{"no max_age", func(c *Config) { c.Seal.MaxAge = 0 }, ""},
		{"max_age", func(c *Config) { c.Seal.MaxAge = -time.Second }, "seal.max_age: -1s is less than 0s"},
		{"grace", func(c *Config) { c.Shutdown.Grace = -1 }, "shutdown.grace: -1ns is not more than 0s"},
		{"anchored", func(c *Config) { c.Anchor.RPC, c.Anchor.MaxFee = "https://rpc.example.com/v1/secret", 1 }, ""},
		{"no max_fee", func(c *Config) { c.Anchor.RPC = "https://rpc.example.com" }, "anchor.max_fee is not set: say the most that one transaction may cost"},
		{"rpc", func(c *Config) { c.Anchor.RPC, c.Anchor.MaxFee = "rpc.example.com:443/secret", 1 }, "anchor.rpc: it is no URL of the form https://host[:port][/path]"},
		{"no rpc", func(c *Config) { c.Anchor.KeyFile = "/key" }, "anchor.rpc is not set, but other settings of anchor are"},
		{"every", func(c *Config) { c.Anchor.Every = 0 }, "anchor.every: 0 is less than 1"},
		{"min_interval", func(c *Config) { c.Anchor.MinInterval = -1 }, "anchor.min_interval: -1ns is less than 0s"},
		{"alarm_after", func(c *Config) { c.Anchor.AlarmAfter = -1 }, "anchor.alarm_after: -1ns is less than 0s, which means any age"},
		{"signed", func(c *Config) { c.Checkpoint.KeyFiles = []string{"/old.key", "/new.key"} }, ""},
		{"no key file", func(c *Config) { c.Checkpoint.KeyFiles = []string{""} }, `checkpoint.key_files: "" is no file`},
		{"key file twice", func(c *Config) { c.Checkpoint.KeyFiles = []string{"/a", "/b", "/a"} }, "checkpoint.key_files: /a is there twice"},
		{"small events", func(c *Config) { c.MaxEventBytes = 1023 }, "max_event_bytes: 1023 is not between 1024 and 1073741824"},
		{"large events", func(c *Config) { c.MaxEventBytes = 1<<30 + 1 }, "max_event_bytes: 1073741825"},
		{"little room", func(c *Config) { c.MaxBytesInFlight = 16<<20 - 1 }, "max_bytes_in_flight: 16777215 is less than max_event_bytes (16777216)"},
		{"no time to gather", func(c *Config) { c.MaxGather = 0 }, "max_gather: 0s is not more than 0s"},
		{"upgrades", func(c *Config) { c.Upgrades = "record" }, `upgrades: "record" is none of refuse, pass`},
		{"clock header", func(c *Config) { c.ClockHeader = "a b" }, `clock_header: "a b" is no header name (RFC 9110, token)`},
		{"seed header", func(c *Config) { c.SeedHeader = ":seed" }, `seed_header: ":seed" is no header name`},
		{"same headers", func(c *Config) { c.SeedHeader = "X-Verbatim-Clock-Ms" }, `seed_header: "X-Verbatim-Clock-Ms" is the clock_header already`},
		{"ignored header", func(c *Config) { c.Ignore.Headers = []string{"date", ""} }, `ignore.headers: "" is no header name`},
		{"ignore nothing", func(c *Config) { c.Ignore.Headers = nil }, ""},
		{"admin", func(c *Config) { c.Admin = "9910" }, `admin: "9910" is not of the form host:port`},
		{"admin on all", func(c *Config) { c.Admin = ":0" }, ""},
		{"admin port", func(c *Config) { c.Admin = "127.0.0.1:70000" }, `admin: the port of "127.0.0.1:70000" is no number from 0 to 65535`},
		{"pipeline host", func(c *Config) { c.Pipeline.Address = ":8080" }, `pipeline.address: ":8080" is not of the form host:port`},
		{"pipeline port", func(c *Config) { c.Pipeline.Address = "p:0" }, `pipeline.address: the port of "p:0" is no number from 1 to 65535`},
		{"pipeline name", func(c *Config) { c.Pipeline.Address = "pipeline:80" }, ""},
		{"envoy", func(c *Config) { c.Envoy.Admin = "http://127.0.0.1:9901" }, ""},
		{"envoy address", func(c *Config) { c.Envoy.Admin = "127.0.0.1:9901" }, `envoy.admin: "127.0.0.1:9901" is no URL of the form http:// or https://host:port`},
		{"envoy path", func(c *Config) { c.Envoy.Admin = "http://127.0.0.1:9901/stats" }, "envoy.admin: a URL with more than"},
		{"target", target("http://127.0.0.1:8081/"), ""},
		{"target scheme", target("ftp://p:1"), `replay.targets.staging.url: "ftp://p:1" is no URL`},
		{"log in an archive", func(c *Config) { c.Log = "s3://b?x=secret" }, "log: it is a URL, and serve records into a directory"},
		{"envoy password", func(c *Config) { c.Envoy.Admin = "u:p@h:1" }, "envoy.admin: the text, which has an @ and is not shown, is no URL of the form"},
		{"target password", target("https://u:p@h:1"), "replay.targets.staging.url: the text, which has an @ and is not shown, is no URL of the form"},
		{"target bad password", target("http://u:%zz@h:1"), "replay.targets.staging.url: the text, which has an @ and is not shown, is no URL of the form"},
		{"target user", target("http://u:p@h:1"), "replay.targets.staging.url: a URL with more than"},
		{"target name", func(c *Config) { c.Replay.Targets = map[string]Target{"": {}} }, `replay.targets: "" is no name of a target`},
		{"captured", target("http://127.0.0.1:8080"), "replay.targets.staging.url: http://127.0.0.1:8080 is the address that is being captured; name another instance"},
		{"captured as localhost", target("http://LOCALHOST:8080/"), "replay.targets.staging.url: http://LOCALHOST:8080/ is the address"},
		{"captured, mapped", target("http://[::ffff:127.0.0.1]:8080"), "replay.targets.staging.url: "},
		{"localhost elsewhere", target("http://localhost:8081"), ""},
		{"captured, default port", func(c *Config) {
			c.Pipeline.Address = "Pipeline:80"
			target("http://pipeline")(c)
		}, "replay.targets.staging.url: http://pipeline is the address"},
		{"target over TLS", target("https://h:1"), `replay.targets.staging.url: "https://h:1" is no URL of the form http:// or h2c://host:port`},
		{"captured over HTTP/2", func(c *Config) {
			c.Pipeline.Address = "localhost:81"
			target("h2c://[::1]:81")(c)
		}, "replay.targets.staging.url: h2c://[::1]:81 is the address"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := valid()
			test.change(&c)
			err := c.Validate()
			if test.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil || !strings.HasPrefix(err.Error(), test.want) {
				t.Errorf("\n got %v\nwant %s", err, test.want)
			}
		})
	}
}
