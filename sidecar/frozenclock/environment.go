package frozenclock

import "strings"

// Environment returns an environment in which a program has the clock: a copy of
// one as os.Environ gives it, with what libfaketime reads replaced.
func (l *Library) Environment(environ []string, c *Clock) []string {
	preload := l.Path
	var out []string
	for _, setting := range environ {
		key, value, _ := strings.Cut(setting, "=")
		switch {
		case key == "LD_PRELOAD" && value != "":
			preload += ":" + value
		case key == "LD_PRELOAD", strings.HasPrefix(key, "FAKETIME"), key == "NO_FAKE_STAT":
		default:
			out = append(out, setting)
		}
	}
	return append(out, "LD_PRELOAD="+preload,
		"FAKETIME_TIMESTAMP_FILE="+c.path, "FAKETIME_FMT=%s",
		// Otherwise the file is looked at once in ten seconds.
		"FAKETIME_NO_CACHE=1",
		// Event loops wait by it, and would wait for ever.
		"FAKETIME_DONT_FAKE_MONOTONIC=1",
		// Otherwise all files seem to be of this moment, and caches that go by their
		// times (Python's, of compiled modules) are written anew with false ones.
		"NO_FAKE_STAT=1",
	)
}
