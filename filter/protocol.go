package filter

import "fmt"

// Protocol is the HTTP version that Envoy speaks to the pipeline, in clear
// text and by prior knowledge.
type Protocol int

const (
	// H1 is HTTP/1.1.
	H1 Protocol = iota
	// H2 is HTTP/2.
	H2
)

// String returns the name that ParseProtocol reads.
func (p Protocol) String() string {
	switch p {
	case H1:
		return "h1"
	case H2:
		return "h2"
	}
	return fmt.Sprintf("Protocol(%d)", int(p))
}

// ParseProtocol reads "h1" or "h2".
func ParseProtocol(name string) (Protocol, error) {
	switch name {
	case "h1":
		return H1, nil
	case "h2":
		return H2, nil
	}
	return 0, fmt.Errorf("pipeline protocol %q is unknown: give h1 or h2", name)
}
