package mesh

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"verbatim/filter"
)

// EnvoyVariable is the environment variable that names the Envoy binary to use
// instead of the repository's own.
const EnvoyVariable = "VERBATIM_ENVOY"

// EnvoyPath returns the Envoy binary: the one that VERBATIM_ENVOY names, else
// .build/envoy/bin/envoy under the repository's root.
func EnvoyPath() (string, error) {
	path := os.Getenv(EnvoyVariable)
	if path == "" {
		root, err := Root()
		if err != nil {
			return "", err
		}
		path = filepath.Join(root, ".build", "envoy", "bin", "envoy")
	}
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("find Envoy: %w: run deploy/setup.sh envoy, or set %s to an Envoy binary", err, EnvoyVariable)
	}
	return path, nil
}

// OlderEnvoys returns the binaries of the older Envoys that tests run, by their
// names, such as envoy-1.38.3: one for each file of requirements in deploy.
func OlderEnvoys() (map[string]string, error) {
	root, err := Root()
	if err != nil {
		return nil, err
	}
	const requirements = "-requirements.txt"
	files, err := filepath.Glob(filepath.Join(root, "deploy", "envoy-*"+requirements))
	if err != nil {
		return nil, fmt.Errorf("find older Envoys: %w", err)
	}
	paths := map[string]string{}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), requirements)
		paths[name] = filepath.Join(root, ".build", name, "bin", "envoy")
		if _, err := os.Stat(paths[name]); err != nil {
			return nil, fmt.Errorf("find older Envoys: %w: run deploy/setup.sh envoys", err)
		}
	}
	return paths, nil
}

// EnvoyOptions says which Envoy to start.
type EnvoyOptions struct {
	// Bootstrap is the configuration. An empty Listen or Admin means
	// 127.0.0.1:0.
	Bootstrap filter.Bootstrap
	// YAML replaces Bootstrap if it is not nil. It needs an admin address and a
	// listener; the first one is what Addr names.
	YAML []byte
	// Concurrency is the number of worker threads; 0 means 1.
	Concurrency int
	// Dir gets the configuration and the log. A second Envoy needs another.
	Dir string
}

// Envoy is a running Envoy that is live.
type Envoy struct {
	*Process
	// Addr is the bound address of the listener, host:port.
	Addr string
	// AdminURL is the admin endpoint, http://host:port.
	AdminURL string
}

// StartEnvoy starts Envoy and waits until it is live, bounded by ctx.
func StartEnvoy(ctx context.Context, o EnvoyOptions) (*Envoy, error) {
	path, err := EnvoyPath()
	if err != nil {
		return nil, err
	}
	config, err := writeConfig(o)
	if err != nil {
		return nil, err
	}
	adminPath := filepath.Join(o.Dir, "envoy.admin")
	if err := os.Remove(adminPath); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("start envoy: %w", err)
	}
	p, err := StartProcess(ctx, ProcessOptions{
		Name: "envoy", Path: path, Dir: o.Dir,
		Args: []string{
			"-c", config,
			"--admin-address-path", adminPath,
			"--concurrency", strconv.Itoa(max(o.Concurrency, 1)),
			// Without hot restart Envoys share nothing: no base id, no shared memory.
			"--disable-hot-restart",
			"--log-level", "warning",
		},
	})
	if err != nil {
		return nil, err
	}
	e := &Envoy{Process: p}
	if err := e.awaitLive(ctx, adminPath); err != nil {
		p.Kill()
		return nil, fmt.Errorf("start envoy: %w: %s", err, tail(p.LogPath))
	}
	return e, nil
}

// writeConfig writes the configuration file and returns its path.
func writeConfig(o EnvoyOptions) (string, error) {
	config := o.YAML
	if config == nil {
		b := o.Bootstrap
		if b.Listen == "" {
			b.Listen = "127.0.0.1:0"
		}
		if b.Admin == "" {
			b.Admin = "127.0.0.1:0"
		}
		m, err := b.Proto()
		if err != nil {
			return "", err
		}
		if config, err = filter.YAML(m); err != nil {
			return "", err
		}
	}
	path := filepath.Join(o.Dir, "envoy.yaml")
	if err := os.WriteFile(path, config, 0o600); err != nil {
		return "", fmt.Errorf("write Envoy configuration: %w", err)
	}
	return path, nil
}

// awaitLive reads the admin address that Envoy wrote, again each time since it
// may be half written, until Envoy says there that it is live.
func (e *Envoy) awaitLive(ctx context.Context, adminPath string) error {
	err := Poll(ctx, "Envoy to be live", func() (bool, error) {
		select {
		case <-e.Done():
			return false, errors.Join(errors.New("it ended"), e.Wait())
		default:
		}
		address, err := os.ReadFile(adminPath)
		if errors.Is(err, os.ErrNotExist) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		e.AdminURL = "http://" + string(address)
		body, err := e.admin(ctx, "/ready")
		return err == nil && string(body) == "LIVE\n", nil
	})
	if err != nil {
		return err
	}
	e.Addr, err = e.listenerAddr(ctx)
	return err
}
