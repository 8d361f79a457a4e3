package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"verbatim/replay"
)

// paceFlag reads "max", "recorded" and "x10".
type paceFlag struct {
	pace replay.Pace
	text string
}

func (p *paceFlag) String() string {
	if p.text == "" {
		return "max"
	}
	return p.text
}

// Type implements pflag.Value.
func (p *paceFlag) Type() string { return "pace" }

// Set implements pflag.Value.
func (p *paceFlag) Set(s string) error {
	pace, text := replay.Pace(0), s
	switch factor, times := strings.CutPrefix(s, "x"); {
	case s == "max":
	case s == "recorded":
		pace = 1
	case times:
		n, err := strconv.ParseFloat(factor, 64)
		if err != nil || n <= 0 || math.IsInf(n, 0) || math.IsNaN(n) {
			return fmt.Errorf("%q: want a number above 0 behind the x, as in x10", s)
		}
		pace = replay.Pace(n)
	default:
		return fmt.Errorf("%q: want max, recorded, or a factor such as x10", s)
	}
	p.pace, p.text = pace, text
	return nil
}
