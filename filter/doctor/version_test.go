package doctor_test

import (
	"testing"

	"verbatim/filter"
	"verbatim/filter/doctor"
)

func TestVersions(t *testing.T) {
	for version, want := range map[string]struct {
		defects  int
		untested bool
	}{
		"1.40.0":        {},
		"1.41.0-dev":    {},
		"":              {},
		"1.39.3":        {defects: 3},
		"1.38.3":        {defects: 8},
		"1.37.1":        {defects: 9, untested: true},
		"1.37.0":        {defects: 10, untested: true},
		"1.36.5-0.dev":  {defects: 9, untested: true},
		"1.33.0":        {defects: 11, untested: true},
		"1.29.0":        {defects: 11, untested: true},
		"1.34.13-fips1": {defects: 9, untested: true},
	} {
		t.Run(version, func(t *testing.T) {
			c := parsed(t, bootstrap(t, filter.Bootstrap{}))
			c.Version = version
			found := codes(doctor.Examine(c, settings))
			if found["defective-version"] != want.defects || (found["version-untested"] == 1) != want.untested {
				t.Errorf("found %v, want %+v", found, want)
			}
		})
	}
}

func TestUnreadableVersions(t *testing.T) {
	for _, version := range []string{"2.0.0", "fine", "1.x.0"} {
		c := parsed(t, bootstrap(t, filter.Bootstrap{}))
		c.Version = version
		if found := codes(doctor.Examine(c, settings)); len(found) != 1 || found["version-unknown"] != 1 {
			t.Errorf("%s: found %v, want version-unknown alone", version, found)
		}
	}
}

// codes counts findings by their codes.
func codes(list []doctor.Finding) map[string]int {
	found := map[string]int{}
	for _, f := range list {
		found[f.Code]++
	}
	return found
}
