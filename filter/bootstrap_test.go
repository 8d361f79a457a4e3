package filter_test

import (
	"bytes"
	"flag"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"verbatim/filter"
	"verbatim/tests/mesh"
)

var update = flag.Bool("update", false, "write the golden files instead of comparing with them")

func TestMain(m *testing.M) { goleak.VerifyTestMain(mesh.Main(m)) }

// golden are the bootstraps whose YAML is fixed.
var golden = map[string]filter.Bootstrap{
	"plain-h1": {Listen: "127.0.0.1:10000", Admin: "127.0.0.1:9901", Pipeline: "127.0.0.1:8080"},
	"plain-h2": {Listen: "127.0.0.1:10000", Admin: "127.0.0.1:9901", Pipeline: "127.0.0.1:8080", PipelineProtocol: filter.H2},
	"capture-h1": {
		Listen: "0.0.0.0:10000", Admin: "127.0.0.1:9901", Pipeline: "pipeline.example:8080",
		Capture: &filter.Capture{Sidecar: "/run/verbatim/capture.sock"},
	},
	"capture-h2": {
		Listen: "[::1]:0", Admin: "[::1]:0", Pipeline: "[::1]:8080", PipelineProtocol: filter.H2,
		RouteTimeout: 10 * time.Minute,
		Capture: &filter.Capture{
			Sidecar: "/run/verbatim/capture.sock", Profile: filter.FailOpen,
			MessageTimeout: time.Minute, MaxEventBytes: 1024,
		},
	},
}

func init() {
	golden["observe"] = filter.Bootstrap{
		Listen: "127.0.0.1:10000", Admin: "127.0.0.1:9901", Pipeline: "127.0.0.1:8080",
		Capture: &filter.Capture{Sidecar: "/run/verbatim/capture.sock", Profile: filter.Observe},
	}
	golden["upstream"] = filter.Bootstrap{
		Listen: "127.0.0.1:10000", Admin: "127.0.0.1:9901", Pipeline: "127.0.0.1:8080", PipelineProtocol: filter.H2,
		Capture: &filter.Capture{Sidecar: "/run/verbatim/capture.sock", Position: filter.Upstream},
	}
}

func printed(t *testing.T, b filter.Bootstrap) []byte {
	t.Helper()
	m, err := b.Proto()
	if err != nil {
		t.Fatal(err)
	}
	out, err := filter.YAML(m)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestGolden(t *testing.T) {
	for name, b := range golden {
		t.Run(name, func(t *testing.T) {
			got := printed(t, b)
			path := filepath.Join("testdata", name+".yaml")
			if *update {
				if err := os.WriteFile(path, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("YAML differs from %s; run with -update and read the difference. Got:\n%s", path, got)
			}
		})
	}
}

func TestEnvoyAccepts(t *testing.T) {
	envoy, err := mesh.EnvoyPath()
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range golden {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "envoy.yaml")
			if err := os.WriteFile(path, printed(t, b), 0o600); err != nil {
				t.Fatal(err)
			}
			out, err := exec.CommandContext(t.Context(), envoy, "--mode", "validate", "-c", path).CombinedOutput()
			if err != nil {
				t.Fatalf("envoy --mode validate: %v\n%s", err, out)
			}
			if bytes.Contains(out, []byte("deprecated")) {
				t.Errorf("Envoy warns of something deprecated:\n%s", out)
			}
		})
	}
}

func TestBadInput(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*filter.Bootstrap)
		want   string
	}{
		{"no listen", func(b *filter.Bootstrap) { b.Listen = "" }, `listen address "": give it as host:port`},
		{"listen without port", func(b *filter.Bootstrap) { b.Listen = "127.0.0.1" }, `listen address "127.0.0.1": give it as host:port`},
		{"listen without host", func(b *filter.Bootstrap) { b.Listen = ":80" }, `listen address ":80": give it as host:port`},
		{"listen on a name", func(b *filter.Bootstrap) { b.Listen = "localhost:80" }, `"localhost" is not an IP address`},
		{"listen on a zone", func(b *filter.Bootstrap) { b.Listen = "[fe80::1%eth0]:80" }, "is not an IP address"},
		{"port too large", func(b *filter.Bootstrap) { b.Listen = "127.0.0.1:65536" }, `port "65536" is not a number from 0 to 65535`},
		{"port by name", func(b *filter.Bootstrap) { b.Admin = "127.0.0.1:http" }, `admin address "127.0.0.1:http": port "http" is not a number`},
		{"no admin", func(b *filter.Bootstrap) { b.Admin = "" }, `admin address ""`},
		{"no pipeline", func(b *filter.Bootstrap) { b.Pipeline = "" }, `pipeline address ""`},
		{"pipeline with a scheme", func(b *filter.Bootstrap) { b.Pipeline = "http://h:80" }, `pipeline address "http://h:80"`},
		{"pipeline on port 0", func(b *filter.Bootstrap) { b.Pipeline = "h:0" }, "port 0 cannot be connected to"},
		{"pipeline is Envoy", func(b *filter.Bootstrap) { b.Pipeline = b.Listen }, "Envoy would call itself"},
		{"unknown protocol", func(b *filter.Bootstrap) { b.PipelineProtocol = 7 }, "pipeline protocol Protocol(7) is unknown"},
		{"negative route timeout", func(b *filter.Bootstrap) { b.RouteTimeout = -1 }, "route timeout -1ns is negative"},
		{"no socket", func(b *filter.Bootstrap) { b.Capture.Sidecar = "" }, "sidecar socket is missing"},
		{"relative socket", func(b *filter.Bootstrap) { b.Capture.Sidecar = "run/s.sock" }, `sidecar socket "run/s.sock" is a relative path`},
		{"long socket", func(b *filter.Bootstrap) { b.Capture.Sidecar = "/" + strings.Repeat("s", 107) }, "has 108 bytes"},
		{"negative message timeout", func(b *filter.Bootstrap) { b.Capture.MessageTimeout = -1 }, "message timeout -1ns is negative"},
		{"huge events", func(b *filter.Bootstrap) { b.Capture.MaxEventBytes = math.MaxUint32 }, "maximum event size 4294967295 is above"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := golden["plain-h1"]
			b.Capture = &filter.Capture{Sidecar: "/run/s.sock"}
			c.change(&b)
			_, err := b.Proto()
			if err == nil {
				t.Fatal("no error")
			}
			if got := err.Error(); !strings.Contains(got, c.want) || strings.ContainsAny(got, "\n;") {
				t.Errorf("error %q, want one sentence with %q", got, c.want)
			}
		})
	}
}

func TestParseProtocol(t *testing.T) {
	for _, p := range []filter.Protocol{filter.H1, filter.H2} {
		if got, err := filter.ParseProtocol(p.String()); got != p || err != nil {
			t.Errorf("ParseProtocol(%q) = %v, %v", p, got, err)
		}
	}
	if _, err := filter.ParseProtocol("http/1.1"); err == nil || !strings.Contains(err.Error(), `"http/1.1" is unknown: give h1 or h2`) {
		t.Errorf("ParseProtocol = %v, want a sentence that names both", err)
	}
}
