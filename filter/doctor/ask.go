package doctor

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"verbatim/filter"
)

const (
	// askTimeout bounds one question to an admin endpoint.
	askTimeout = 10 * time.Second
	// maxDump bounds its answer: meshes with thousands of routes have tens of MiB.
	maxDump = 1 << 30
)

// Ask reads the configuration of a running Envoy from its admin endpoint, such as
// http://127.0.0.1:9901.
func Ask(ctx context.Context, admin string) (Config, error) {
	dump, err := get(ctx, admin, "/config_dump?include_eds")
	if err != nil {
		return Config{}, err
	}
	c, err := Parse(dump)
	if err != nil {
		return Config{}, fmt.Errorf("read what envoy says: %w", err)
	}
	var info struct {
		Version string `json:"version"`
	}
	b, err := get(ctx, admin, "/server_info")
	if err == nil {
		err = json.Unmarshal(b, &info)
	}
	if err != nil {
		return Config{}, fmt.Errorf("ask envoy for its version: %w", err)
	}
	// revision/version/status/type/ssl
	if parts := strings.Split(info.Version, "/"); len(parts) > 1 {
		c.Version = parts[1]
	}
	return c, nil
}

func get(ctx context.Context, admin, path string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	return filter.Ask(ctx, &client, admin, path, maxDump)
}
