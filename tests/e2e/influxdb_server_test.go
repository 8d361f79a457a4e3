package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"verbatim/tests/mesh"
)

// influxListening is the line by which InfluxDB says where it listens.
var influxListening = regexp.MustCompile(`msg="Listening on HTTP".* addr=(\S+)`)

// influxConfig keeps InfluxDB to itself: it reports to nobody, stores nothing that it was not sent, and no port is taken
// that the kernel didn't choose.
const influxConfig = `reporting-disabled = true
bind-address = "127.0.0.1:0"
[meta]
dir = %[1]q
[data]
dir = %[2]q
wal-dir = %[3]q
query-log-enabled = false
[monitor]
store-enabled = false
[subscriber]
enabled = false
[http]
bind-address = "127.0.0.1:0"
log-enabled = false
`

// startInflux starts an empty InfluxDB and returns its address.
func startInflux(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	config := filepath.Join(dir, "influxdb.conf")
	text := fmt.Sprintf(influxConfig, filepath.Join(dir, "meta"), filepath.Join(dir, "data"), filepath.Join(dir, "wal"))
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	p, err := mesh.StartProcess(ctx, mesh.ProcessOptions{
		Name: "influxd", Path: influxPath(t), Args: []string{"run", "-config", config}, Dir: dir, Ready: influxListening,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Stop(); err != nil {
			t.Error(err)
		}
	})
	return p.Match[1]
}

// influxPath is the influxd of the PATH, else the one that setup.sh unpacked.
func influxPath(t *testing.T) string {
	t.Helper()
	if path, err := exec.LookPath("influxd"); err == nil {
		return path
	}
	root, err := mesh.Root()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(root, ".build", "influxdb", "usr", "bin", "influxd")
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("find InfluxDB: %v: run deploy/setup.sh test", err)
	}
	return path
}
