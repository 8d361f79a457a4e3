package secret

import (
	"net/url"
	"slices"
	"strings"
)

// targets are headers whose values are URLs.
var targets = map[string]bool{":path": true, "location": true, "content-location": true, "referer": true}

// Target is a request's target, or another URL, with its user and the values of
// parameters that carry credentials hidden. The rest is as it was, also where it is no URL.
func Target(target string) string {
	target, fragment, cut := strings.Cut(target, "#")
	before, query, found := strings.Cut(target, "?")
	shown := withoutUser(before)
	if found {
		shown += "?" + shownQuery(query)
	}
	if cut {
		shown += "#" + fragment
	}
	return shown
}

// withoutUser hides a URL's user and password.
func withoutUser(address string) string {
	scheme, rest, found := strings.Cut(address, "://")
	if !found || strings.Contains(scheme, "/") {
		return address
	}
	authority, path, cut := strings.Cut(rest, "/")
	if at := strings.LastIndex(authority, "@"); at >= 0 {
		authority = hidden + authority[at:]
	}
	if cut {
		authority += "/" + path
	}
	return scheme + "://" + authority
}

func shownQuery(query string) string {
	var list []string
	for query != "" {
		end := strings.IndexAny(query, "&;") + 1
		if end == 0 {
			end = len(query)
		}
		list = append(list, query[:end])
		query = query[end:]
	}
	// The user and the password of InfluxDB's version 1.
	influx := slices.ContainsFunc(list, func(p string) bool { return strings.HasPrefix(p, "u=") })
	for i, p := range list {
		name, value, found := strings.Cut(p, "=")
		plain, err := url.QueryUnescape(name)
		if err != nil {
			plain = name
		}
		if found && (parameter(plain) || influx && plain == "p") {
			list[i] = name + "=" + hidden + value[len(strings.TrimRight(value, "&;")):]
		}
	}
	return strings.Join(list, "")
}
