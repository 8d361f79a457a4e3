package mesh

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
)

// adminClient keeps no connection open, so that none outlives an Envoy.
var adminClient = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

// admin gets a page of the admin endpoint. A status other than 200 is an error.
func (e *Envoy) admin(ctx context.Context, path string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, e.AdminURL+path, nil)
	if err != nil {
		return nil, fmt.Errorf("ask Envoy for %s: %w", path, err)
	}
	resp, err := adminClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask Envoy for %s: %w", path, err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, fmt.Errorf("ask Envoy for %s: %w", path, err)
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("ask Envoy for %s: status %d", path, resp.StatusCode)
	}
	return body, nil
}

// listenerAddr returns the bound address of the first listener.
func (e *Envoy) listenerAddr(ctx context.Context) (string, error) {
	body, err := e.admin(ctx, "/listeners?format=json")
	if err != nil {
		return "", err
	}
	var page struct {
		Statuses []struct {
			Local struct {
				Socket struct {
					Address string `json:"address"`
					Port    int    `json:"port_value"`
				} `json:"socket_address"`
			} `json:"local_address"`
		} `json:"listener_statuses"`
	}
	if err := json.Unmarshal(body, &page); err != nil {
		return "", fmt.Errorf("read Envoy's listeners: %w", err)
	}
	if len(page.Statuses) == 0 {
		return "", errors.New("read Envoy's listeners: there is none")
	}
	socket := page.Statuses[0].Local.Socket
	return net.JoinHostPort(socket.Address, strconv.Itoa(socket.Port)), nil
}

// Counter returns a counter or gauge by its full name, such as
// http.verbatim.downstream_rq_total. A name that Envoy does not know is an error.
func (e *Envoy) Counter(ctx context.Context, name string) (uint64, error) {
	body, err := e.admin(ctx, "/stats?format=json&filter="+url.QueryEscape("^"+regexp.QuoteMeta(name)+"$"))
	if err != nil {
		return 0, err
	}
	var page struct {
		Stats []struct {
			Name  string `json:"name"`
			Value uint64 `json:"value"`
		} `json:"stats"`
	}
	if err := json.Unmarshal(body, &page); err != nil {
		return 0, fmt.Errorf("read Envoy's counter %s: %w", name, err)
	}
	for _, s := range page.Stats {
		if s.Name == name {
			return s.Value, nil
		}
	}
	return 0, fmt.Errorf("read Envoy's counter %s: Envoy has none of that name", name)
}
