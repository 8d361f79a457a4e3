package main

import (
	"sync"
	"time"
)

// reading is what a meter reports.
type reading struct {
	MeterID  string `json:"meter_id"`
	KWh      energy `json:"kwh"`
	Register string `json:"register"`
}

// settlement is the line that a reading leaves in the ledger, and the answer to
// it. Money is in micro-units.
type settlement struct {
	MeterID  string `json:"meter_id"`
	Register string `json:"register,omitempty"`
	// Line numbers the meter's settlements from 1.
	Line         int64  `json:"line"`
	KWh          energy `json:"kwh"`
	TotalKWh     energy `json:"total_kwh"`
	Tariff       string `json:"tariff"`
	PriceMicro   int64  `json:"price_micro"`
	SettledMicro int64  `json:"settled_micro"`
	Token        string `json:"token"`
	SettledAt    string `json:"settled_at"`
}

// ledger holds every meter's settlements. It may be used by many goroutines.
type ledger struct {
	tariff tariff
	global bool // number lines over all meters

	mu    sync.Mutex
	lines map[string][]settlement
	count int64 // lines of all meters
}

func newLedger(f fault) *ledger {
	l := &ledger{tariff: standardTariff, global: f == faultGlobalState, lines: map[string][]settlement{}}
	if f == faultTariff {
		l.tariff = otherTariff
	}
	return l
}

// settle adds a line for each reading, all of them in one step.
func (l *ledger) settle(in input, readings []reading) []settlement {
	l.mu.Lock()
	defer l.mu.Unlock()
	lines := make([]settlement, 0, len(readings))
	for n, r := range readings {
		lines = append(lines, l.add(in, n, r))
	}
	return lines
}

// add needs the lock.
func (l *ledger) add(in input, n int, r reading) settlement {
	before := l.lines[r.MeterID]
	rate := l.tariff.at(in.now)
	line := settlement{
		MeterID:    r.MeterID,
		Register:   r.Register,
		Line:       int64(len(before)) + 1,
		KWh:        r.KWh,
		TotalKWh:   r.KWh,
		Tariff:     rate.name,
		PriceMicro: int64(r.KWh) * rate.micro,
		Token:      in.token(r.MeterID, n),
		SettledAt:  in.now.Format(time.RFC3339Nano),
	}
	line.SettledMicro = line.PriceMicro
	if len(before) > 0 {
		last := before[len(before)-1]
		line.TotalKWh += last.TotalKWh
		line.SettledMicro += last.SettledMicro
	}
	l.count++
	if l.global {
		line.Line = l.count
	}
	l.lines[r.MeterID] = append(before, line)
	return line
}

// last returns a meter's newest line, and false for a meter without one.
func (l *ledger) last(meterID string) (settlement, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	lines := l.lines[meterID]
	if len(lines) == 0 {
		return settlement{}, false
	}
	return lines[len(lines)-1], true
}
