package mesh

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestLoadRefuses(t *testing.T) {
	good := LoadOptions{Addr: "127.0.0.1:1", Connections: 1, Events: 1, Meters: 1}
	for _, c := range []struct {
		name   string
		change func(*LoadOptions)
		want   string
	}{
		{"other host", func(o *LoadOptions) { o.Addr = "192.0.2.1:80" }, "not a loopback address"},
		{"name", func(o *LoadOptions) { o.Addr = "localhost:80" }, "not a loopback address"},
		{"no connection", func(o *LoadOptions) { o.Connections = 0 }, "at least 1"},
		{"no event", func(o *LoadOptions) { o.Events = 0 }, "at least 1"},
		{"no meter", func(o *LoadOptions) { o.Meters = 0 }, "at least 1"},
		{"negative rate", func(o *LoadOptions) { o.Rate = -1 }, "negative"},
	} {
		o := good
		c.change(&o)
		if _, err := Load(t.Context(), o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: Load = %v, want an error with %q", c.name, err, c.want)
		}
	}
}

// meterServer answers 200 to meter 0, 503 to meter 1, and breaks the connection
// on meter 2. It counts connections.
func meterServer(t *testing.T, connections *atomic.Int64) string {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var one struct {
			Meter string `json:"meter_id"`
		}
		if err := json.NewDecoder(r.Body).Decode(&one); err != nil {
			w.WriteHeader(http.StatusBadRequest)
		}
		switch one.Meter {
		case MeterID(1):
			w.WriteHeader(http.StatusServiceUnavailable)
		case MeterID(2):
			panic(http.ErrAbortHandler)
		}
		_, _ = io.WriteString(w, one.Meter) // the client may be gone
	}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

func TestLoadCounts(t *testing.T) {
	var connections atomic.Int64
	addr := meterServer(t, &connections)
	answers := map[int]string{}
	result, err := Load(t.Context(), LoadOptions{
		Addr: addr, Connections: 3, Events: 30, Meters: 3,
		Answer: func(i, status int, body []byte) { answers[i] = fmt.Sprint(status, " ", string(body)) },
	})
	if err != nil {
		t.Fatal(err)
	}
	if result.Done != 10 || result.Failed[503] != 10 || result.Failed[0] != 10 || len(result.Failed) != 2 || result.FirstError == nil {
		t.Errorf("result = done %d, failed %v, first error %v, want 10 of each", result.Done, result.Failed, result.FirstError)
	}
	if len(answers) != 20 || answers[0] != "200 meter-00000" || answers[4] != "503 meter-00001" {
		t.Errorf("answers = %v", answers)
	}
}

func TestLoadKeepsItsConnections(t *testing.T) {
	var connections atomic.Int64
	addr := meterServer(t, &connections)
	result, err := Load(t.Context(), LoadOptions{Addr: addr, Connections: 4, Events: 200, Meters: 1, Rate: 10_000})
	if err != nil || result.Done != 200 {
		t.Fatalf("Load: %d done, %v", result.Done, err)
	}
	if n := connections.Load(); n > 4 {
		t.Errorf("%d connections, want at most 4", n)
	}
}

func TestLoadEndsWithContext(t *testing.T) {
	var connections atomic.Int64
	addr := meterServer(t, &connections)
	ctx, cancel := context.WithCancel(t.Context())
	result, err := Load(ctx, LoadOptions{
		Addr: addr, Connections: 2, Events: 1 << 40, Meters: 1,
		Progress: func(done int) {
			if done == 5 {
				cancel()
			}
		},
	})
	if !errors.Is(err, context.Canceled) || result.Done < 1 {
		t.Errorf("Load = %d done, %v, want some done and context.Canceled", result.Done, err)
	}
}

func TestReadingIsDeterministic(t *testing.T) {
	if got, want := string(Reading(4, 3)), `{"meter_id":"meter-00001","kwh":2.376,"register":"1.8.1"}`; got != want {
		t.Errorf("Reading(4, 3) = %s, want %s", got, want)
	}
	for i := range 10_000 {
		if !json.Valid(Reading(i, 17)) {
			t.Fatalf("Reading(%d, 17) is not JSON: %s", i, Reading(i, 17))
		}
	}
}

func TestQuantile(t *testing.T) {
	var hundred Latencies
	for i := 100; i > 0; i-- {
		hundred = append(hundred, time.Duration(i))
	}
	for _, c := range []struct {
		l    Latencies
		q    float64
		want time.Duration
	}{
		{nil, 0.5, 0},
		{Latencies{7}, 0.99, 7},
		{hundred, 0, 1},
		{hundred, 0.5, 50},
		{hundred, 0.99, 99},
		{hundred, 1, 100},
	} {
		if got := c.l.Quantile(c.q); got != c.want {
			t.Errorf("Quantile(%v) of %d = %d, want %d", c.q, len(c.l), got, c.want)
		}
	}
}
