package doctor_test

import (
	"slices"
	"testing"

	"verbatim/filter"
	"verbatim/filter/doctor"
)

func TestVersions(t *testing.T) {
	for version, want := range map[string][]string{
		"1.40.0":        nil,
		"1.38.3":        nil,
		"1.41.0-dev":    nil,
		"":              nil,
		"1.37.1":        {"version-untested"},
		"1.37.0":        {"defective-version", "version-untested"},
		"1.36.5-0.dev":  {"version-untested"},
		"1.33.0":        {"defective-version", "defective-version", "version-untested"},
		"1.29.0":        {"defective-version", "defective-version", "version-untested"},
		"2.0.0":         {"version-unknown"},
		"fine":          {"version-unknown"},
		"1.34.13-fips1": {"version-untested"},
	} {
		t.Run(version, func(t *testing.T) {
			c := parsed(t, bootstrap(t, filter.Bootstrap{}))
			c.Version = version
			var got []string
			for _, f := range doctor.Examine(c, settings) {
				got = append(got, f.Code)
			}
			if !slices.Equal(got, want) {
				t.Errorf("found %v, want %v", got, want)
			}
		})
	}
}
