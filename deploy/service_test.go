package deploy_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"verbatim/sidecar/config"
)

// unit returns the settings in a systemd unit, by section and name.
func unit(t *testing.T, name string) map[string]string {
	t.Helper()
	values := map[string]string{}
	section := ""
	for i, line := range strings.Split(read(t, name), "\n") {
		key, value, isSetting := strings.Cut(line, "=")
		switch {
		case line == "" || line[0] == '#':
		case line[0] == '[' && line[len(line)-1] == ']':
			section = line
		case isSetting && section != "":
			values[section+key] = value
		default:
			t.Fatalf("%s:%d: neither section nor setting: %s", name, i+1, line)
		}
	}
	return values
}

func TestServiceMatchesSettings(t *testing.T) {
	c, err := config.Load("verbatim.yaml")
	if err != nil {
		t.Fatal(err)
	}
	got := unit(t, "verbatim.service")
	for key, want := range map[string]string{
		"[Service]ExecStart":            "/usr/local/bin/verbatim serve --config /etc/verbatim/verbatim.yaml",
		"[Service]StateDirectory":       strings.TrimPrefix(filepath.Dir(c.Log), "/var/lib/"),
		"[Service]StateDirectoryMode":   "0700",
		"[Service]RuntimeDirectory":     strings.TrimPrefix(filepath.Dir(c.Socket), "/run/"),
		"[Service]RuntimeDirectoryMode": "0700",
	} {
		if got[key] != want {
			t.Errorf("%s is %q, want %q", key, got[key], want)
		}
	}
	stop, err := time.ParseDuration(got["[Service]TimeoutStopSec"])
	if err != nil {
		t.Fatal(err)
	}
	if least := c.Shutdown.Grace + sealing; stop <= least {
		t.Errorf("systemd kills after %v, a clean stop may take %v", stop, least)
	}
	for _, made := range []string{"init --log " + c.Log, "--sidecar " + c.Socket} {
		if !strings.Contains(read(t, "verbatim.service"), made) {
			t.Errorf("the unit's instructions do not say %q", made)
		}
	}
}
