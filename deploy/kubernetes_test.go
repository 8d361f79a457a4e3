package deploy_test

import (
	"flag"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"verbatim/filter"
	"verbatim/sidecar/config"
)

var update = flag.Bool("update", false, "write the bootstrap in kubernetes.yaml anew")

// sealing bounds the seal at the end of a clean stop.
const sealing = time.Minute

// settings returns the pod's settings of serve.
func settings(t *testing.T) config.Config {
	t.Helper()
	path := filepath.Join(t.TempDir(), "verbatim.yaml")
	text := manifests(t, "kubernetes.yaml")["ConfigMap"].Data["verbatim.yaml"]
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	return c
}

// TestKubernetesBootstrap holds the ConfigMap's bootstrap to what `verbatim config envoy` prints for the pod's settings.
func TestKubernetesBootstrap(t *testing.T) {
	c := settings(t)
	protocol, err := filter.ParseProtocol(c.Pipeline.Protocol)
	if err != nil {
		t.Fatal(err)
	}
	profile, err := filter.ParseProfile(c.Profile)
	if err != nil {
		t.Fatal(err)
	}
	bootstrap, err := filter.Bootstrap{
		Listen: "0.0.0.0:10000", Admin: strings.TrimPrefix(c.Envoy.Admin, "http://"),
		Pipeline: c.Pipeline.Address, PipelineProtocol: protocol,
		Capture: &filter.Capture{
			Sidecar: c.Socket, MaxEventBytes: uint32(c.MaxEventBytes), MaxBytesInFlight: uint64(c.MaxBytesInFlight), Profile: profile,
		},
	}.Proto()
	if err != nil {
		t.Fatal(err)
	}
	want, err := filter.YAML(bootstrap)
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		writeBootstrap(t, string(want))
	}
	got := manifests(t, "kubernetes.yaml")["ConfigMap"].Data["envoy.yaml"]
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("the bootstrap is stale, run make generate:\n%s", diff)
	}
}

// writeBootstrap replaces the bootstrap in kubernetes.yaml, which is the last of the ConfigMap.
func writeBootstrap(t *testing.T, text string) {
	t.Helper()
	const key = "  envoy.yaml: |\n"
	before, after, found := strings.Cut(read(t, "kubernetes.yaml"), key)
	_, after, ended := strings.Cut(after, "---\n")
	if !found || !ended {
		t.Fatal("kubernetes.yaml: no place for the bootstrap")
	}
	indented := "    " + strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n    ")
	if err := os.WriteFile("kubernetes.yaml", []byte(before+key+indented+"\n---\n"+after), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestKubernetesPaths(t *testing.T) {
	c := settings(t)
	pod := manifests(t, "kubernetes.yaml")["StatefulSet"].Spec.Template.Spec
	sidecar, envoy := find(t, pod, "verbatim"), find(t, pod, "envoy")
	if dir := filepath.Dir(c.Socket); sidecar.mount("socket") != dir || envoy.mount("socket") != dir {
		t.Errorf("the socket is in %s, which verbatim has at %q and Envoy at %q", dir, sidecar.mount("socket"), envoy.mount("socket"))
	}
	if dir := filepath.Dir(c.Log); sidecar.mount("log") != dir {
		t.Errorf("the log is in %s, the volume at %q", dir, sidecar.mount("log"))
	}
	if got, want := sidecar.Args[len(sidecar.Args)-1], filepath.Join(sidecar.mount("config"), "verbatim.yaml"); got != want {
		t.Errorf("serve reads %s, the settings are in %s", got, want)
	}
	if got, want := envoy.Args[len(envoy.Args)-1], filepath.Join(envoy.mount("config"), "envoy.yaml"); got != want {
		t.Errorf("Envoy reads %s, the bootstrap is in %s", got, want)
	}
	initial := find(t, manifests(t, "kubernetes-init.yaml")["Job"].Spec.Template.Spec, "verbatim")
	if got := initial.Args[len(initial.Args)-1]; got != c.Log {
		t.Errorf("init makes %s, serve writes to %s", got, c.Log)
	}
	if initial.mount("log") != sidecar.mount("log") {
		t.Errorf("the volume is at %q for init, at %q for serve", initial.mount("log"), sidecar.mount("log"))
	}
	declared := map[string]bool{}
	for _, v := range pod.Volumes {
		declared[v.Name] = true
	}
	for _, c := range append(pod.InitContainers, pod.Containers...) {
		for _, m := range c.VolumeMounts {
			if !declared[m.Name] {
				t.Errorf("container %s mounts volume %q, which the pod has not", c.Name, m.Name)
			}
		}
	}
}

// TestKubernetesUsers: the socket is for its owner alone, and the pipeline has no business with it.
func TestKubernetesUsers(t *testing.T) {
	pod := manifests(t, "kubernetes.yaml")["StatefulSet"].Spec.Template.Spec
	owner := find(t, pod, "verbatim").SecurityContext.RunAsUser
	if owner == 0 {
		t.Error("verbatim runs as root")
	}
	if got := match(t, "Containerfile", `^USER (\d+):`); got != strconv.Itoa(owner) {
		t.Errorf("verbatim's user is %d in the pod, %s in the image", owner, got)
	}
	if got := find(t, pod, "envoy").SecurityContext.RunAsUser; got != owner {
		t.Errorf("Envoy runs as user %d and cannot use the socket of user %d", got, owner)
	}
	if got := find(t, pod, "pipeline").SecurityContext.RunAsUser; got == owner {
		t.Error("the pipeline runs as verbatim's user")
	}
	initial := find(t, manifests(t, "kubernetes-init.yaml")["Job"].Spec.Template.Spec, "verbatim")
	if got := initial.SecurityContext.RunAsUser; got != owner {
		t.Errorf("init makes the log as user %d, serve is user %d", got, owner)
	}
}

func TestKubernetesGrace(t *testing.T) {
	pod := manifests(t, "kubernetes.yaml")["StatefulSet"].Spec.Template.Spec
	if got, least := time.Duration(pod.GraceSeconds)*time.Second, settings(t).Shutdown.Grace+sealing; got <= least {
		t.Errorf("a pod is killed after %v, a clean stop may take %v", got, least)
	}
}
