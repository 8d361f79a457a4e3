package sidecar

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"verbatim/filter"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/capture"
)

const (
	statsEvery   = time.Second
	statsTimeout = 2 * time.Second
	// passedCounter counts the exchanges that Envoy let pass without the sidecar.
	passedCounter = filter.CounterPrefix + "failure_mode_allowed"
)

// witnessEnvoy marks a Gap that Envoy's counters know of.
const witnessEnvoy = "envoy"

// envoyWatch turns what Envoy's counters know of unrecorded exchanges into Gap
// entries.
type envoyWatch struct {
	admin  string // base URL of Envoy's admin endpoint
	log    *auditlog.Log
	losses *capture.Losses
	logger *slog.Logger
	client http.Client

	known bool // last is what the log has told already
	last  uint64
	since time.Time
}

// run polls until ctx ends. It blocks on Envoy's admin port, with a bound, and
// on the log.
func (w *envoyWatch) run(ctx context.Context) {
	w.client.Timeout = statsTimeout
	w.since = time.Now()
	tick := time.NewTicker(statsEvery)
	defer tick.Stop()
	for {
		w.poll(ctx)
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// poll counts what is new and tells the log. Envoy that is away is no loss that
// can be known: its counters are read again when it is back.
func (w *envoyWatch) poll(ctx context.Context) {
	if w.admin != "" {
		now, err := w.counter(ctx)
		if err != nil {
			w.logger.Debug("envoy's counters can't be read", "err", err)
		} else {
			w.count(ctx, now)
		}
	}
	if err := w.losses.Tell(ctx, w.log); err != nil {
		w.logger.Debug("gap not recorded yet", "err", err)
	}
}

func (w *envoyWatch) count(ctx context.Context, now uint64) {
	if !w.known {
		told, err := w.told(ctx)
		if err != nil {
			w.logger.Debug("what the log has told of envoy's losses can't be read", "err", err)
			return
		}
		w.last, w.known = told, true
	}
	if now < w.last {
		w.last = 0 // Envoy was restarted
	}
	if now > w.last {
		w.losses.AddSince(witnessEnvoy, "envoy let requests pass without the sidecar: fail open", w.since, now-w.last)
	}
	w.last, w.since = now, time.Now()
}

// told sums up the Gaps that this Envoy's counter stands for already: those
// since it was started.
func (w *envoyWatch) told(ctx context.Context) (uint64, error) {
	var info struct {
		Uptime string `json:"uptime_all_epochs"`
	}
	if err := w.get(ctx, "/server_info", &info); err != nil {
		return 0, err
	}
	uptime, err := time.ParseDuration(info.Uptime)
	if err != nil {
		return 0, fmt.Errorf("read envoy's uptime: %w", err)
	}
	v, err := w.log.View()
	if err != nil {
		return 0, err
	}
	defer v.Close()
	from, err := v.OffsetAt(uint64(time.Now().Add(-uptime - time.Second).UnixMilli()))
	if err != nil {
		return 0, err
	}
	var sum uint64
	for e, err := range v.Entries(ctx, from, v.Tip().Offset) {
		if err != nil {
			return 0, err
		}
		if kind, _, err := auditlog.Peek(e.Raw); err != nil || kind != auditlog.KindGap {
			continue
		}
		ev, err := e.Event()
		if err != nil {
			return 0, err
		}
		if ev.GetGap().GetWitness() == witnessEnvoy {
			sum += ev.GetGap().GetExchanges()
		}
	}
	return sum, nil
}

// counter reads how many exchanges Envoy let pass.
func (w *envoyWatch) counter(ctx context.Context) (uint64, error) {
	var stats struct {
		Stats []struct {
			Name  string `json:"name"`
			Value uint64 `json:"value"`
		} `json:"stats"`
	}
	path := "/stats?format=json&filter=" + url.QueryEscape("^"+passedCounter+"$")
	if err := w.get(ctx, path, &stats); err != nil {
		return 0, err
	}
	for _, s := range stats.Stats {
		if s.Name == passedCounter {
			return s.Value, nil
		}
	}
	return 0, nil
}

// version asks Envoy what it is; empty if it can't be asked.
func (w *envoyWatch) version(ctx context.Context) string {
	var info struct {
		Version string `json:"version"`
	}
	if w.admin == "" || w.get(ctx, "/server_info", &info) != nil {
		return ""
	}
	return info.Version
}

func (w *envoyWatch) get(ctx context.Context, path string, into any) error {
	ctx, cancel := context.WithTimeout(ctx, statsTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimRight(w.admin, "/")+path, nil)
	if err != nil {
		return fmt.Errorf("ask envoy: %w", err)
	}
	resp, err := w.client.Do(req)
	if err != nil {
		return fmt.Errorf("ask envoy: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("ask envoy: %s", resp.Status)
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(into); err != nil {
		return fmt.Errorf("ask envoy: %w", err)
	}
	return nil
}
