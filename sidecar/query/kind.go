package query

import (
	"fmt"
	"strings"

	"verbatim/sidecar/auditlog"
)

// ParseKinds reads kinds of events by their names in the format.
func ParseKinds(names []string) (list []auditlog.Kind, err error) {
	for _, name := range names {
		k, err := parseKind(name)
		if err != nil {
			return nil, err
		}
		list = append(list, k)
	}
	return list, nil
}

func parseKind(name string) (auditlog.Kind, error) {
	var known []string
	for _, k := range auditlog.Kinds() {
		if k.String() == name {
			return k, nil
		}
		known = append(known, k.String())
	}
	return 0, fmt.Errorf("%q is no kind of event: there are %s", name, strings.Join(known, ", "))
}
