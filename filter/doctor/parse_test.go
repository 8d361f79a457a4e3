package doctor_test

import (
	"errors"
	"strings"
	"testing"

	"verbatim/filter"
	"verbatim/filter/doctor"
)

func TestParseRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"nothing":             "",
		"a list":              "[]",
		"no YAML":             "a: [",
		"something else":      "apiVersion: v1\nkind: Pod\n",
		"a field of no Envoy": "static_resources: {listeners: 7}",
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := doctor.Parse([]byte(text)); !errors.Is(err, doctor.ErrConfig) {
				t.Errorf("got %v, want ErrConfig", err)
			}
		})
	}
}

// TestAFilterOfAnotherKind reads a configuration with a type that is not linked in,
// as meshes have them.
func TestAFilterOfAnotherKind(t *testing.T) {
	text, err := filter.YAML(bootstrap(t, filter.Bootstrap{}))
	if err != nil {
		t.Fatal(err)
	}
	with := strings.Replace(string(text), "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions", "type.googleapis.com/mesh.Stats", 1)
	c, err := doctor.Parse([]byte(with))
	if err != nil {
		t.Fatal(err)
	}
	got := doctor.Examine(c, settings)
	if len(got) != 2 || got[1].Code != "unknown-types" || !strings.Contains(got[1].Problem, "mesh.Stats") {
		t.Errorf("found %v, want mesh.Stats among what is not known", got)
	}
	if faults := doctor.Faults(got); len(faults) != 1 {
		t.Errorf("faults %v, want those that can be seen alone", faults)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("static_resources: {clusters: [{name: a}]}"))
	f.Add([]byte(`{"configs":[{"@type":"type.googleapis.com/envoy.admin.v3.RoutesConfigDump","static_route_configs":[{}]}]}`))
	f.Add([]byte(`{"configs":[{"@type":"type.googleapis.com/x.Y","a":[{"@type":7}]}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := doctor.Parse(b)
		if err != nil {
			if !errors.Is(err, doctor.ErrConfig) {
				t.Errorf("got %v, want ErrConfig", err)
			}
			return
		}
		for _, finding := range doctor.Examine(c, settings) {
			if finding.Code == "" || finding.Where == "" || finding.Problem == "" || finding.Remedy == "" {
				t.Errorf("finding %+v does not say all", finding)
			}
		}
	})
}
