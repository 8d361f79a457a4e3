package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// energy is an amount in watt-hours. In JSON it is a number of kilowatt-hours
// with up to three decimals; it is never a float, so sums are exact.
type energy int64

// maxEnergy bounds one reading: 1 GWh.
const maxEnergy energy = 1_000_000_000

// UnmarshalJSON reads a number such as 3, 3.5 or 0.125.
func (e *energy) UnmarshalJSON(text []byte) error {
	whole, decimals, _ := strings.Cut(string(bytes.TrimSpace(text)), ".")
	if len(decimals) > 3 {
		return fmt.Errorf("kwh %s has more than three decimals", text)
	}
	n, err := strconv.ParseUint(whole+decimals+strings.Repeat("0", 3-len(decimals)), 10, 63)
	if err != nil || energy(n) > maxEnergy {
		return fmt.Errorf("kwh %s is not a decimal number from 0 to %d", text, maxEnergy/1000)
	}
	*e = energy(n)
	return nil
}

// MarshalJSON writes three decimals.
func (e energy) MarshalJSON() ([]byte, error) {
	return json.Marshal(json.Number(fmt.Sprintf("%d.%03d", e/1000, e%1000)))
}
