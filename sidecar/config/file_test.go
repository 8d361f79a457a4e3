package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	tests := []struct {
		name, text string
		change     func(*Config)
	}{
		{"empty", "", func(*Config) {}},
		{"comment", "# nothing\n", func(*Config) {}},
		{"empty group", "queue:\n", func(*Config) {}},
		{"one of a group", "queue: {max_wait: 1m30s}", func(c *Config) { c.Queue.MaxWait = 90 * time.Second }},
		{"list replaces", "ignore:\n  headers: [X-A]\n", func(c *Config) { c.Ignore.Headers = []string{"x-a"} }},
		{"empty list", "ignore:\n  headers: []\n", func(c *Config) { c.Ignore.Headers = []string{} }},
		{"lower case", "clock_header: X-Clock\nseed_header: X-Seed\n", func(c *Config) {
			c.ClockHeader, c.SeedHeader = "x-clock", "x-seed"
		}},
		{"targets", "replay:\n  targets:\n    a: {url: 'http://h:1', image: sha256:1}\n    b:\n      url: http://h:2\n", func(c *Config) {
			c.Replay.Targets = map[string]Target{"a": {"http://h:1", "sha256:1"}, "b": {"http://h:2", ""}}
		}},
		{"block text", "capture:\n  skip: |-\n    request.path\n      == \"/\"\n", func(c *Config) { c.Capture.Skip = "request.path\n  == \"/\"" }},
		{"no age", "seal: {max_age: 0s}", func(c *Config) { c.Seal.MaxAge = 0 }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := Parse([]byte(test.text))
			if err != nil {
				t.Fatal(err)
			}
			want := Default()
			test.change(&want)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("want (-), got (+):\n%s", diff)
			}
		})
	}
}

func TestParseErrors(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"unknown key", "log: a\nlogs: b\n", `line 2: unknown key "logs"`},
		{"unknown in group", "log: a\nqueue:\n  max_wait: 1s\n  max_wiat: 2s\n", `line 4: unknown key "queue.max_wiat"`},
		{"unknown in flow", "queue: {max_wait: 1s, max_wiat: 2s}\n", `line 1: unknown key "queue.max_wiat"`},
		{"unknown group", "cues:\n  max: 1\n", `line 1: unknown key "cues"`},
		{"unknown in target", "replay:\n  targets:\n    a:\n      urls: x\n", `line 4: unknown key "replay.targets.a.urls"`},
		{"the flag's spelling", "log-level: info\n", `line 1: unknown key "log-level"`},
		{"no number", "queue:\n  max_waiting: many\n", `line 2: "queue.max_waiting" must be a whole number`},
		{"no duration", "queue:\n  max_wait: soon\n", `line 2: "queue.max_wait" must be a duration with a unit, such as 10s`},
		{"duration without unit", "seal: {max_age: 10}\n", `line 1: "seal.max_age" must be a duration with a unit, such as 10s`},
		{"no text", "log: [a]\n", `line 1: "log" must be text`},
		{"no list", "ignore:\n  headers: date\n", `line 2: "ignore.headers" must be a list`},
		{"no list of text", "ignore:\n  headers:\n    - date\n    - {a: b}\n", `line 4: "ignore.headers" must be text`},
		{"no group", "queue: 7\n", `line 1: "queue" must be a group of settings`},
		{"no target", "replay:\n  targets:\n    a: http://h:1\n", `line 3: "replay.targets.a" must be a group of settings`},
		{"a list", "- log\n", `line 1: "the file" must be a group of settings`},
		{"twice", "log: a\nlog: b\n", `line 2: mapping key "log" already defined at line 1`},
		{"no YAML", "log: a\n  b: c\n", `line 2: mapping values are not allowed in this context`},
		{"tab", "queue:\n\tmax_wait: 1s\n", `line 2: found character that cannot start any token`},
		{"two documents", "log: a\n---\nlog: b\n", `more than one YAML document; one file holds one configuration`},
		{"bad second document", "log: a\n---\n[\n", `line 3: did not find expected node content`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := Parse([]byte(test.text))
			if err == nil || err.Error() != test.want {
				t.Errorf("\n got %v\nwant %s", err, test.want)
			}
		})
	}
}

func TestLoadErrors(t *testing.T) {
	path := filepath.Join(t.TempDir(), "verbatim.yaml")
	if _, err := Load(path); err == nil || !strings.HasPrefix(err.Error(), "read configuration: open "+path) {
		t.Errorf("missing file: %v", err)
	}
	if err := os.WriteFile(path, []byte("log: a\nlogs: b\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(path); err == nil || err.Error() != path+`: line 2: unknown key "logs"` {
		t.Errorf("unknown key: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"", "log: a\n", "queue: {max_wait: 1s, x: 2}", "a: &a [*a]", "<<: {log: a}", "? [a]\n: b", "replay: {targets: {a: {url: 1}}}",
		"log: !!binary a", "- {", "---\n---\n", "ignore: {headers: [1, [2]]}", "\xff", "%YAML 1.1\n---\nlog: a", "log: \"a\\nb\"\n\"c\\nd\": 1",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := Parse(b)
		if err == nil {
			err = c.Validate()
		}
		if err != nil && (err.Error() == "" || strings.Contains(err.Error(), "\n")) {
			t.Errorf("the error is not one line: %q", err)
		}
	})
}
