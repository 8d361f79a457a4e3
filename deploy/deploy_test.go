// Package deploy_test holds the files in this folder to what the programs take and to each other. It cannot show that an
// image builds or that a cluster accepts the manifests.
package deploy_test

import (
	"debug/elf"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"verbatim/tests/mesh"
)

// read returns a file of this folder.
func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// manifest has what the tests look at in a Kubernetes object.
type manifest struct {
	Kind string            `json:"kind"`
	Data map[string]string `json:"data"`
	Spec struct {
		Template struct {
			Spec podSpec `json:"spec"`
		} `json:"template"`
	} `json:"spec"`
}

type podSpec struct {
	GraceSeconds   int         `json:"terminationGracePeriodSeconds"`
	InitContainers []container `json:"initContainers"`
	Containers     []container `json:"containers"`
	Volumes        []struct {
		Name string `json:"name"`
	} `json:"volumes"`
}

type container struct {
	Name            string   `json:"name"`
	Args            []string `json:"args"`
	SecurityContext struct {
		RunAsUser int `json:"runAsUser"`
	} `json:"securityContext"`
	VolumeMounts []struct {
		Name      string `json:"name"`
		MountPath string `json:"mountPath"`
	} `json:"volumeMounts"`
}

// manifests returns the objects in a file by their kind.
func manifests(t *testing.T, name string) map[string]manifest {
	t.Helper()
	objects := map[string]manifest{}
	for _, document := range strings.Split(read(t, name), "\n---\n") {
		var m manifest
		if err := yaml.Unmarshal([]byte(document+"\n"), &m); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if _, twice := objects[m.Kind]; m.Kind == "" || twice {
			t.Fatalf("%s: a document has no kind, or one that is there already: %q", name, m.Kind)
		}
		objects[m.Kind] = m
	}
	return objects
}

// find returns the container of a pod that has this name.
func find(t *testing.T, pod podSpec, name string) container {
	t.Helper()
	for _, c := range append(pod.InitContainers, pod.Containers...) {
		if c.Name == name {
			return c
		}
	}
	t.Fatalf("the pod has no container %q", name)
	return container{}
}

func (c container) mount(volume string) string {
	for _, m := range c.VolumeMounts {
		if m.Name == volume {
			return m.MountPath
		}
	}
	return ""
}

// match returns what the only group of pattern matches in a file.
func match(t *testing.T, name, pattern string) string {
	t.Helper()
	found := regexp.MustCompile("(?m)" + pattern).FindStringSubmatch(read(t, name))
	if found == nil {
		t.Fatalf("%s: nothing matches %s", name, pattern)
	}
	return found[1]
}

// TestImageHasAllLibraries: the program needs no shared library but those of Debian's
// smallest image, to which nothing is added.
func TestImageHasAllLibraries(t *testing.T) {
	verbatim, err := mesh.Build(t.Context(), "./cmd/verbatim", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	program, err := elf.Open(verbatim)
	if err != nil {
		t.Fatal(err)
	}
	defer program.Close() //nolint:errcheck // read only
	libraries, err := program.ImportedLibraries()
	if err != nil || len(libraries) == 0 {
		t.Fatal(libraries, err)
	}
	for _, name := range libraries {
		if !slices.Contains([]string{"libc.so.6", "libm.so.6", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"}, name) {
			t.Errorf("the program needs %s, which the image has not", name)
		}
	}
	_, image, _ := strings.Cut(read(t, "Containerfile"), "\nFROM docker.io/library/debian:")
	if strings.Contains(image, "apt-get") {
		t.Error("the image gets packages that the program does not need")
	}
}

// TestImageIsBuiltWithSetup keeps the list of packages in one place.
func TestImageIsBuiltWithSetup(t *testing.T) {
	build, _, found := strings.Cut(read(t, "Containerfile"), "\nFROM docker.io/library/debian:")
	if !found || !strings.Contains(build, "\nRUN deploy/setup.sh build\n") || strings.Contains(build, "apt-get") {
		t.Error("the build stage gets its packages elsewhere than from setup.sh")
	}
}

// TestImageIsBuiltAsTestsAre compares the build tags of the image's program with those
// that all the Makefile builds and tests gets.
func TestImageIsBuiltAsTestsAre(t *testing.T) {
	made := match(t, "../Makefile", `^export GOFLAGS \+= -tags=(\S+)$`)
	if image := match(t, "Containerfile", `^RUN go build -tags (\S+) `); image != made {
		t.Errorf("the image's program is built with the tags %s, everything else with %s", image, made)
	}
}
