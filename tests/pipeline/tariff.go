package main

import "time"

// rate is one band of the time-of-use tariff.
type rate struct {
	name string
	// micro is the price in micro-units for each watt-hour.
	micro int64
}

// tariff prices a watt-hour by the hour of day in UTC.
type tariff struct{ peak, shoulder, offPeak rate }

var (
	standardTariff = tariff{
		peak:     rate{"peak", 420},
		shoulder: rate{"shoulder", 270},
		offPeak:  rate{"off-peak", 130},
	}
	// otherTariff is what a pipeline with another price list has.
	otherTariff = tariff{
		peak:     rate{"peak", 421},
		shoulder: rate{"shoulder", 271},
		offPeak:  rate{"off-peak", 131},
	}
)

// at returns the band at an instant: peak from 16 to 21, off-peak from 22 to 6,
// shoulder between.
func (t tariff) at(now time.Time) rate {
	switch hour := now.UTC().Hour(); {
	case hour >= 16 && hour < 21:
		return t.peak
	case hour >= 22 || hour < 6:
		return t.offPeak
	}
	return t.shoulder
}
