package mesh

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"time"
)

// answerTimeout bounds one exchange of a load.
const answerTimeout = time.Minute

// outcome is what became of one event.
type outcome struct {
	event   int
	status  int // 0: no whole answer, see err
	body    []byte
	latency time.Duration
	err     error
}

// sender is one connection of a load. One goroutine uses it.
type sender struct {
	client *http.Client
	url    string
	bodyOf func(i int) []byte
	keep   bool // whether the answer's body is wanted
}

func newSender(o LoadOptions) *sender {
	return &sender{
		client: &http.Client{
			Transport: &http.Transport{MaxConnsPerHost: 1, MaxIdleConnsPerHost: 1, DisableCompression: true},
			Timeout:   answerTimeout,
		},
		url:    "http://" + o.Addr + "/v1/readings",
		bodyOf: o.Body,
		keep:   o.Answer != nil,
	}
}

func (s *sender) close() { s.client.CloseIdleConnections() }

func (s *sender) send(ctx context.Context, i int) outcome {
	body := s.bodyOf(i)
	start := time.Now()
	out := outcome{event: i}
	out.status, out.body, out.err = s.exchange(ctx, body)
	out.latency = time.Since(start)
	return out
}

func (s *sender) exchange(ctx context.Context, body []byte) (int, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(body))
	if err != nil {
		return 0, nil, fmt.Errorf("send event: %w", err)
	}
	// Without GetBody net/http sends a request once and never again by itself.
	req.GetBody = nil
	req.Header.Set("Content-Type", "application/json")
	resp, err := s.client.Do(req)
	if err != nil {
		return 0, nil, fmt.Errorf("send event: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	if !s.keep {
		_, err = io.Copy(io.Discard, resp.Body)
		body = nil
	} else {
		body, err = io.ReadAll(resp.Body)
	}
	if err != nil {
		return 0, nil, fmt.Errorf("read answer: %w", err)
	}
	return resp.StatusCode, body, nil
}
