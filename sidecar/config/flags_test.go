package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// resolve is what serve does with its arguments.
func resolve(t *testing.T, args ...string) (Config, error) {
	t.Helper()
	c := Default()
	cmd := &cobra.Command{Use: "serve", SilenceErrors: true, SilenceUsage: true}
	c.BindFlags(cmd.Flags())
	cmd.Flags().Bool("json", false, "a flag that is no setting")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return c.Resolve(cmd.Flags()) }
	cmd.SetArgs(args)
	err := cmd.ExecuteContext(t.Context())
	return c, err
}

func writeFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "verbatim.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

var required = []string{"--log=/log", "--socket=/s.sock", "--pipeline.address=127.0.0.1:8080"}

const file = `
log: /file
socket: /file.sock
ordering: global
queue: {max_waiting: 5, max_wait: 5s}
ignore: {headers: [x-file]}
pipeline: {address: "file:80"}
replay: {targets: {file: {url: "http://h:1"}}}
`

func TestPrecedence(t *testing.T) {
	fromFile := valid()
	fromFile.Log, fromFile.Socket, fromFile.Ordering = "/file", "/file.sock", "global"
	fromFile.Queue = Queue{MaxWaiting: 5, MaxWait: 5 * time.Second}
	fromFile.Ignore.Headers = []string{"x-file"}
	fromFile.Pipeline.Address = "file:80"
	fromFile.Replay.Targets = map[string]Target{"file": {URL: "http://h:1"}}
	path := writeFile(t, file)
	tests := []struct {
		name   string
		args   []string
		base   Config
		change func(*Config)
	}{
		{"defaults", required, valid(), func(*Config) {}},
		{"file", []string{"--config", path}, fromFile, func(*Config) {}},
		{"flag over file", []string{"--queue.max-wait=7s", "--config", path, "--json"}, fromFile,
			func(c *Config) { c.Queue.MaxWait = 7 * time.Second }},
		{"default as flag over file", []string{"--config", path, "--ordering=meter", "--queue.max-waiting=1024"}, fromFile,
			func(c *Config) { c.Ordering, c.Queue.MaxWaiting = "meter", 1024 }},
		{"lists over file", []string{"--config", path, "--ignore.headers=X-A,x-b", "--ignore.headers=x-c",
			"--replay.targets=a=http://h:2", "--replay.targets=b=http://h:3,sha256:1"}, fromFile,
			func(c *Config) {
				c.Ignore.Headers = []string{"x-a", "x-b", "x-c"}
				c.Replay.Targets = map[string]Target{"a": {URL: "http://h:2"}, "b": {URL: "http://h:3", Image: "sha256:1"}}
			}},
		{"empty list", append([]string{"--ignore.headers="}, required...), valid(),
			func(c *Config) { c.Ignore.Headers = []string{} }},
		{"text with commas and lines", append([]string{"--capture.skip=request.path in [\"a\",\n\"b\"]", "--profile=fail-open"}, required...), valid(),
			func(c *Config) { c.Capture.Skip, c.Profile = "request.path in [\"a\",\n\"b\"]", "fail-open" }},
		{"zero", append([]string{"--seal.max-age=0"}, required...), valid(), func(c *Config) { c.Seal.MaxAge = 0 }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := resolve(t, test.args...)
			if err != nil {
				t.Fatal(err)
			}
			want := test.base
			test.change(&want)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("want (-), got (+):\n%s", diff)
			}
		})
	}
}

func TestResolveErrors(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "none.yaml")
	bad := writeFile(t, "logs: a\n")
	tests := []struct {
		name string
		args []string
		want string
	}{
		{"nothing", nil, "log is not set"},
		{"no file", []string{"--config", missing}, "read configuration: open " + missing},
		{"bad file", []string{"--config", bad}, bad + `: line 1: unknown key "logs"`},
		{"invalid", append([]string{"--ordering=some"}, required...), `ordering: "some" is none of`},
		{"bad duration", []string{"--queue.max-wait=10"}, `invalid argument "10" for "--queue.max-wait" flag`},
		{"bad target", []string{"--replay.targets=http://h:1"}, `invalid argument "http://h:1" for "--replay.targets" flag: "http://h:1" is not of the form name=URL`},
		{"the file's spelling", []string{"--log_level=info"}, "unknown flag: --log_level"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if _, err := resolve(t, test.args...); err == nil || !strings.HasPrefix(err.Error(), test.want) {
				t.Errorf("\n got %v\nwant %s", err, test.want)
			}
		})
	}
}

func TestResolveWithoutBindFlags(t *testing.T) {
	c := Default()
	if err := c.Resolve(pflag.NewFlagSet("", pflag.ContinueOnError)); err == nil {
		t.Error("no error without the flags")
	}
}

// TestResolveKeepsOnError makes sure that a failed Resolve leaves nothing half set.
func TestResolveKeepsOnError(t *testing.T) {
	c := Default()
	fs := pflag.NewFlagSet("", pflag.ContinueOnError)
	c.BindFlags(fs)
	if err := fs.Parse([]string{"--config", writeFile(t, "admin: 127.0.0.1:1\n")}); err != nil {
		t.Fatal(err)
	}
	if err := c.Resolve(fs); err == nil {
		t.Fatal("no error without a log")
	}
	if diff := cmp.Diff(Default(), c); diff != "" {
		t.Errorf("changed:\n%s", diff)
	}
}

func TestUsage(t *testing.T) {
	c := Default()
	fs := pflag.NewFlagSet("", pflag.ContinueOnError)
	c.BindFlags(fs)
	golden, err := os.ReadFile("testdata/usage.txt")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(golden), fs.FlagUsages()); diff != "" {
		t.Errorf("testdata/usage.txt (-) and the flags' help (+) differ:\n%s", diff)
	}
}
