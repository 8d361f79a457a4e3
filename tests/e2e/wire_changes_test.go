package e2e

import (
	"regexp"
	"strings"
)

// The headers by which the pipeline reads time and randomness.
const (
	clockHeader = "x-verbatim-clock-ms"
	seedHeader  = "x-verbatim-seed"
)

// changedByEnvoy are the header lists of odd requests that Envoy changes before
// the capture sees them, by the request's name: without the host, the framing,
// the clock and the seed.
var changedByEnvoy = map[string][]string{
	"expecting 100":                   {"content-length: 5", "x-forwarded-proto: http"},
	"duplicates that Envoy joins":     {"accept: a,b", "x-a: 1", "user-agent: u,v", "via: 1,2", "x-forwarded-proto: http"},
	"a folded value":                  {"x-fold: a b\tc", "x-forwarded-proto: http"},
	"fields of one hop":               {"x-bar: 2", "x-forwarded-proto: http"},
	"an h2c upgrade":                  {"x-a: 1", "x-forwarded-proto: http"},
	"the client's own clock and seed": {"x-a: 1", "x-forwarded-proto: http"},
	"headers for Envoy":               {"x-a: 1", "x-forwarded-proto: http"},
	"forwarded by others": {
		"x-forwarded-for: 192.0.2.1, 192.0.2.2", "x-forwarded-proto: https", "x-forwarded-host: a",
		"forwarded: for=a", "via: 1.1 a", "x-request-id: 7",
	},
}

// absoluteTargets lose their scheme and authority, as RFC 9112 3.2.2 says.
var absoluteTargets = map[string]string{
	"http://other.example:81/p//q?r": "/p//q?r",
	"http://OTHER.example/P":         "/P",
}

// fieldsOf are the header lines with names in lower case and without white space
// around values; without the host, the transfer coding, the clock and the seed.
func fieldsOf(m wireMessage) []string {
	var list []string
	for _, l := range m.lines() {
		name, value, _ := strings.Cut(l, ":")
		switch name = strings.ToLower(name); name {
		case "host", "transfer-encoding", clockHeader, seedHeader:
		default:
			list = append(list, name+": "+strings.Trim(value, " \t"))
		}
	}
	return list
}

// headLine is a header's name with what stands before its value.
var headLine = regexp.MustCompile(`(?m)^([^ \t\r\n:]+):[ \t]*`)

// lowerHead writes a head as Envoy does, as far as a wireReader needs it.
func lowerHead(raw string) string {
	head, body, _ := strings.Cut(raw, "\r\n\r\n")
	first, lines, _ := strings.Cut(head, "\r\n")
	lines = strings.ReplaceAll(strings.ReplaceAll(lines, "\r\n", "\n"), "\n", "\r\n")
	lines = headLine.ReplaceAllStringFunc(lines, func(name string) string {
		name, _, _ = strings.Cut(name, ":")
		return strings.ToLower(name) + ": "
	})
	return first + "\r\n" + lines + "\r\n\r\n" + body
}
