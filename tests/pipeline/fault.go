package main

import "fmt"

// fault is a way in which the pipeline is not a function of its recorded input.
type fault string

const (
	faultNone fault = "none"
	// faultWallClock settles at the real time.
	faultWallClock fault = "wall-clock"
	// faultRandom mints tokens from real randomness.
	faultRandom fault = "random"
	// faultTariff has another price for the peak.
	faultTariff fault = "tariff"
	// faultGlobalState numbers lines over all meters, so that answers depend on
	// the order in which requests of different meters ran.
	faultGlobalState fault = "global-state"
)

func parseFault(name string) (fault, error) {
	switch f := fault(name); f {
	case faultNone, faultWallClock, faultRandom, faultTariff, faultGlobalState:
		return f, nil
	}
	return "", fmt.Errorf("misbehave %q is unknown: give none, wall-clock, random, tariff or global-state", name)
}
