package main

import (
	"testing"
	"time"
)

func TestTariff(t *testing.T) {
	names := map[int]string{
		0: "off-peak", 5: "off-peak", 6: "shoulder", 15: "shoulder", 16: "peak",
		20: "peak", 21: "shoulder", 22: "off-peak", 23: "off-peak",
	}
	for hour, want := range names {
		last := time.Date(2026, 3, 1, hour, 59, 59, 999_000_000, time.UTC)
		for _, at := range []time.Time{last.Truncate(time.Hour), last, last.In(time.FixedZone("", 5*3600))} {
			if got := standardTariff.at(at).name; got != want {
				t.Errorf("tariff at %v is %s, want %s", at, got, want)
			}
		}
	}
}

func TestEnergy(t *testing.T) {
	for text, want := range map[string]energy{"0": 0, "3": 3000, "3.5": 3500, "0.125": 125, "12.340": 12340, "1000000": maxEnergy} {
		var got energy
		if err := got.UnmarshalJSON([]byte(text)); got != want || err != nil {
			t.Errorf("energy %s = %d, %v, want %d", text, got, err, want)
		}
	}
	if text, err := energy(12005).MarshalJSON(); string(text) != "12.005" || err != nil {
		t.Errorf("12005 Wh = %s, %v", text, err)
	}
}
