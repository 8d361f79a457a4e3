package mesh

import "fmt"

// Reading returns the JSON of event i of a load over so many meters. It is a
// function of its arguments alone.
func Reading(i, meters int) []byte {
	// The steps are primes, so that neighbouring events differ.
	wattHours := 100 + i*7919%4900
	return fmt.Appendf(nil, `{"meter_id":%q,"kwh":%d.%03d,"register":"1.8.%d"}`,
		MeterID(i%meters), wattHours/1000, wattHours%1000, i%3)
}

// MeterID names the n-th meter of a load.
func MeterID(n int) string { return fmt.Sprintf("meter-%05d", n) }
