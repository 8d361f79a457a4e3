package deploy_test

import (
	"os/exec"
	"strings"
	"testing"

	"verbatim/tests/mesh"
)

// TestCommandsExist gives each command that these files run to verbatim, with --help behind it: that parses the flags
// and does nothing.
func TestCommandsExist(t *testing.T) {
	verbatim, err := mesh.Build(t.Context(), "./cmd/verbatim", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	serve := find(t, manifests(t, "kubernetes.yaml")["StatefulSet"].Spec.Template.Spec, "verbatim")
	initial := find(t, manifests(t, "kubernetes-init.yaml")["Job"].Spec.Template.Spec, "verbatim")
	bootstrap := match(t, "kubernetes.yaml", `^  #   verbatim (config envoy (?s:.*?))\n  envoy.yaml:`)
	for name, args := range map[string][]string{
		"pod":       serve.Args,
		"job":       initial.Args,
		"bootstrap": strings.Fields(strings.ReplaceAll(bootstrap, "\\\n  #", "")),
		"unit":      strings.Fields(unit(t, "verbatim.service")["[Service]ExecStart"])[1:],
		"unit init": strings.Fields(match(t, "verbatim.service", `-- verbatim (.*)$`)),
	} {
		t.Run(name, func(t *testing.T) {
			out, err := exec.CommandContext(t.Context(), verbatim, append(args, "--help")...).CombinedOutput()
			if err != nil {
				t.Errorf("verbatim %s --help: %v: %s", strings.Join(args, " "), err, out)
			}
			if words := strings.Join(args[:2], " "); strings.HasPrefix(words, "config") && !strings.Contains(string(out), "verbatim "+words) {
				t.Errorf("verbatim has no %q: %s", words, out)
			}
		})
	}
}
