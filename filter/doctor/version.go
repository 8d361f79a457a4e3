package doctor

import (
	"fmt"
	"strconv"
	"strings"
)

// defect is one that touches the capture, by the first patch of each minor version
// that has it mended.
type defect struct {
	severity Severity
	what     string
	source   string
	// mended maps a minor version of 1.x to the patch; later minor versions have it.
	mended map[int]int
}

// defects are those that are known of ext_proc and of what it stands on: by Envoy's
// release notes, issues and advisories, or seen here.
var defects = []defect{
	{Holds, "Envoy's own answers crash it where ext_proc sees them", "CVE-2025-30157", map[int]int{30: 10, 31: 6, 32: 4, 33: 1}},
	{Holds, "filters are called on streams that were reset, which can crash Envoy", "CVE-2026-26311", map[int]int{34: 13, 35: 8, 36: 5, 37: 1}},
	{Alters, "a sidecar's unexpected replies, several in one piece, are mishandled", "CVE-2026-47207", map[int]int{35: 13, 36: 9, 37: 5, 38: 3}},
	{Holds, "memory of ext_proc and of its gRPC stream is used after its end", "release notes 1.38.4, 1.39.1", map[int]int{38: 4, 39: 1}},
	{Loses, "traffic passes, whatever `failure_mode_allow` says, where the gRPC client can't be made", "envoy issue 45220", map[int]int{39: 0}},
	{Alters, "clients from outside set `x-envoy-upstream-stream-duration-ms`, and so cut answers off", "seen with 1.38.3 and 1.39.3", map[int]int{40: 0}},
	{Alters, "a whole HTTP/2 answer, followed by a reset without an error, becomes an error", "envoy pull request 44749", map[int]int{39: 0}},
	{Holds, "a pipeline's HTTP/2 trailers that don't end the stream end Envoy", "CVE-2026-73513", map[int]int{36: 10, 37: 6, 38: 4, 39: 1}},
	{Holds, "HTTP/2 frames behind a stream's end end Envoy", "release notes 1.40.0", map[int]int{40: 0}},
	{Holds, "answers over one HTTP/2 connection stall after its buffer was full", "release notes 1.40.0", map[int]int{40: 0}},
	{Alters, "what is sent before an upgrade is accepted is taken for a request", "CVE-2026-73548", map[int]int{36: 10, 37: 6, 38: 4, 39: 1}},
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
			x.add("defective-version", d.severity, where, d.what+" ("+d.source+")", "run a version in which it is mended: "+d.versions()+", or a later minor version")
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

// versions are the first that have it mended, one of each minor version.
func (d defect) versions() string {
	var list []string
	for m := range 100 {
		if p, ok := d.mended[m]; ok {
			list = append(list, fmt.Sprintf("1.%d.%d", m, p))
		}
	}
	return strings.Join(list, ", ")
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
