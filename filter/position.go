package filter

import "fmt"

// Position is where in Envoy the capture is.
type Position int

const (
	// Downstream is before the router: one exchange a request of a client.
	Downstream Position = iota
	// Upstream is behind the router, in the pipeline's cluster: one exchange an
	// attempt, with the headers that the router adds.
	Upstream
)

var positions = []string{"downstream", "upstream"}

// String returns the name that ParsePosition reads.
func (p Position) String() string { return choice("Position", positions, int(p)) }

// ParsePosition reads "downstream" or "upstream".
func ParsePosition(name string) (Position, error) {
	for i, known := range positions {
		if name == known {
			return Position(i), nil
		}
	}
	return 0, fmt.Errorf("position %q is unknown: give downstream or upstream", name)
}
