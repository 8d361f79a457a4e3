package mesh

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// PeakMemory is the most that the program had in memory at one time, in octets:
// VmHWM of proc(5). The program must not have ended.
func (p *Process) PeakMemory() (uint64, error) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(p.PID()) + "/status")
	if err != nil {
		return 0, fmt.Errorf("read memory of %s: %w", p.name, err)
	}
	for line := range strings.Lines(string(text)) {
		value, found := strings.CutPrefix(line, "VmHWM:")
		if !found {
			continue
		}
		kib, err := strconv.ParseUint(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 54)
		if err != nil {
			return 0, fmt.Errorf("read memory of %s: %w", p.name, err)
		}
		return kib << 10, nil
	}
	return 0, fmt.Errorf("read memory of %s: the kernel says none", p.name)
}
