package filter

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// Ask reads a page of Envoy's admin endpoint, such as http://127.0.0.1:9901, up to
// most octets of it. ctx bounds how long it takes.
func Ask(ctx context.Context, client *http.Client, admin, path string, most int64) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimRight(admin, "/")+path, nil)
	if err != nil {
		return nil, fmt.Errorf("ask envoy: %w", err)
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask envoy: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("ask envoy: %s%s answers %s", admin, path, resp.Status)
	}
	b, err := io.ReadAll(io.LimitReader(resp.Body, most))
	if err != nil {
		return nil, fmt.Errorf("ask envoy: %w", err)
	}
	return b, nil
}
