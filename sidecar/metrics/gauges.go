package metrics

import "github.com/prometheus/client_golang/prometheus"

// WatchTurns shows how many exchanges wait for their turn and how many have it.
// The functions are called at each scrape, from any goroutine.
func (m *Metrics) WatchTurns(waiting, running func() int) {
	m.gauge("verbatim_turn_waiting", "Exchanges that wait for their turn.", func() float64 { return float64(waiting()) })
	m.gauge("verbatim_turn_running", "Exchanges that have their turn.", func() float64 { return float64(running()) })
}

// WatchRoom shows how many octets of exchanges are in flight, and how many may
// be. The function is called at each scrape, from any goroutine.
func (m *Metrics) WatchRoom(taken func() int64, limit int64) {
	m.gauge("verbatim_in_flight_bytes", "Octets of requests and responses that room is taken for.", func() float64 { return float64(taken()) })
	m.gauge("verbatim_in_flight_limit_bytes", "Octets that room can be taken for: max_bytes_in_flight.", func() float64 { return float64(limit) })
}

// WatchLog shows whether entries can be made durable: writable returns nil then,
// as auditlog.Log.Writable does. It is called at each scrape, from any goroutine.
func (m *Metrics) WatchLog(writable func() error) {
	m.gauge("verbatim_log_writable", "1 while entries can be made durable, else 0.", func() float64 {
		if writable() != nil {
			return 0
		}
		return 1
	})
}

func (m *Metrics) gauge(name, help string, value func() float64) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value))
}
