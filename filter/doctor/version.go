package doctor

import (
	"fmt"
	"strconv"
	"strings"
)

// defect is one that touches the capture, by the first patch of each minor version
// that has it mended.
type defect struct {
	what   string
	source string
	// mended maps a minor version of 1.x to the patch; later minor versions have it.
	mended map[int]int
}

// defects are those that are known of ext_proc and of what it stands on.
var defects = []defect{
	{
		what:   "answers that Envoy makes itself can crash it on their way to ext_proc",
		source: "CVE-2025-30157",
		mended: map[int]int{30: 10, 31: 6, 32: 4, 33: 1},
	},
	{
		what:   "filters are called on streams that were reset, which can crash Envoy",
		source: "CVE-2026-26311",
		mended: map[int]int{34: 13, 35: 8, 36: 5, 37: 1},
	},
}

// oldest is the oldest minor version of 1.x that the capture is tested with.
const oldest = 38

// version finds a version with known defects.
func (x *examination) version() {
	minor, patch, ok := parseVersion(x.config.Version)
	if !ok {
		if x.config.Version != "" {
			x.add("version-unknown", Unseen, "Envoy "+x.config.Version, "its version can't be read", "see docs/operations.md for versions that are tested")
		}
		return
	}
	where := "Envoy " + x.config.Version
	for _, d := range defects {
		if d.has(minor, patch) {
			x.add("defective-version", Holds, where, d.what+" ("+d.source+")", "run a version in which it is mended: "+d.versions())
		}
	}
	if minor < oldest {
		x.add("version-untested", Unseen, where, fmt.Sprintf("the capture is tested with 1.%d and newer", oldest), "run a newer one")
	}
}

func (d defect) has(minor, patch int) bool {
	newest := 0
	for m := range d.mended {
		newest = max(newest, m)
	}
	if minor > newest {
		return false
	}
	p, ok := d.mended[minor]
	return !ok || patch < p
}

func (d defect) versions() string {
	var list []string
	for m := range 100 {
		if p, ok := d.mended[m]; ok {
			list = append(list, fmt.Sprintf("1.%d.%d", m, p))
		}
	}
	return strings.Join(list, ", ") + ", or a later minor version"
}

// parseVersion reads 1.minor.patch, whatever follows.
func parseVersion(text string) (minor, patch int, ok bool) {
	parts := strings.SplitN(text, ".", 3)
	if len(parts) != 3 || parts[0] != "1" {
		return 0, 0, false
	}
	minor, err := strconv.Atoi(parts[1])
	if err != nil {
		return 0, 0, false
	}
	digits := strings.IndexFunc(parts[2], func(c rune) bool { return c < '0' || c > '9' })
	if digits < 0 {
		digits = len(parts[2])
	}
	patch, err = strconv.Atoi(parts[2][:digits])
	return minor, patch, err == nil
}
