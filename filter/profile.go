package filter

import "fmt"

// Profile says what Envoy does with traffic that the sidecar doesn't take. It is
// the same as the sidecar's profile.
type Profile int

const (
	// Strict lets pass what the sidecar has recorded, and nothing else.
	Strict Profile = iota
	// FailOpen lets traffic pass unrecorded when the sidecar fails.
	FailOpen
	// Observe shows traffic to the sidecar and waits for nothing.
	Observe
)

var profiles = []string{"strict", "fail-open", "observe"}

// String returns the name that ParseProfile reads.
func (p Profile) String() string { return choice("Profile", profiles, int(p)) }

// ParseProfile reads "strict", "fail-open" or "observe".
func ParseProfile(name string) (Profile, error) {
	for i, known := range profiles {
		if name == known {
			return Profile(i), nil
		}
	}
	return 0, fmt.Errorf("profile %q is unknown: give strict, fail-open or observe", name)
}

// choice is the i-th name, or one that shows that there is none.
func choice(kind string, names []string, i int) string {
	if i < 0 || i >= len(names) {
		return fmt.Sprintf("%s(%d)", kind, i)
	}
	return names[i]
}
