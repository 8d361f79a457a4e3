package filter

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// Ask reads a page of Envoy's admin endpoint, such as http://127.0.0.1:9901, up to
// most octets of it. ctx bounds how long it takes. Errors don't show a password in admin.
func Ask(ctx context.Context, client *http.Client, admin, path string, most int64) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimRight(admin, "/")+path, nil)
	if u := (*url.Error)(nil); errors.As(err, &u) {
		return nil, fmt.Errorf("ask envoy: read the URL: %w", u.Err)
	}
	if err != nil {
		return nil, fmt.Errorf("ask envoy: %w", err)
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask envoy: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("ask envoy: %s answers %s", req.URL.Redacted(), resp.Status)
	}
	b, err := io.ReadAll(io.LimitReader(resp.Body, most))
	if err != nil {
		return nil, fmt.Errorf("ask envoy: %w", err)
	}
	return b, nil
}
