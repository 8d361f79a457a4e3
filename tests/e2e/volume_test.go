package e2e

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"verbatim/tests/forge"
	"verbatim/tests/mesh"
)

// volumeSize is the file system's; RocksDB must not find room there to set aside
// for a WAL.
const volumeSize = "16m"

// volumeSource is what mount calls the file system.
const volumeSource = "verbatim"

// volume is a small file system of its own in a private mount namespace, which a
// sleeping process keeps. Nothing of it is seen outside.
type volume struct {
	t      *testing.T
	dir    string
	keeper *mesh.Process
	enter  []string // the command that runs another inside
}

// newVolume mounts one on dir, an empty directory.
func newVolume(t *testing.T, dir string) *volume {
	t.Helper()
	unshare, enter := []string{"-m"}, []string{"nsenter", "-m"}
	if os.Geteuid() != 0 {
		// The owner of a user namespace may mount in it.
		unshare, enter = []string{"-rm"}, []string{"nsenter", "-U", "--preserve-credentials", "-m"}
	}
	keeper, err := mesh.StartProcess(t.Context(), mesh.ProcessOptions{
		Name: "volume", Path: "unshare", Dir: filepath.Dir(dir), Ready: regexp.MustCompile(`^mounted$`),
		Args: append(unshare, "sh", "-c", `mount -t tmpfs -o mode=700,size=`+volumeSize+` `+volumeSource+` "$0" && echo mounted && exec sleep infinity`, dir),
	})
	if err != nil {
		t.Fatalf("%v: unshare and mount are needed (deploy/setup.sh test), and root or user namespaces", err)
	}
	t.Cleanup(keeper.Kill)
	enter = append(enter, "-t", strconv.Itoa(keeper.PID()), "--")
	return &volume{t: t, dir: dir, keeper: keeper, enter: enter}
}

// outside is the path by which this process reaches a file of the volume.
func (v *volume) outside(path string) string {
	return fmt.Sprintf("/proc/%d/root%s", v.keeper.PID(), path)
}

// run runs a command inside and returns what it printed.
func (v *volume) run(args ...string) (output string, err error) {
	args = append(append([]string{}, v.enter...), args...)
	out, err := exec.CommandContext(v.t.Context(), args[0], args[1:]...).CombinedOutput()
	return string(out), err
}

func (v *volume) filler() string { return v.outside(filepath.Join(v.dir, "filler")) }

// fill takes all the room that is left and says how many pages that were.
func (v *volume) fill() (pages int) {
	v.t.Helper()
	f, err := os.OpenFile(v.filler(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		v.t.Fatal(err)
	}
	page := make([]byte, os.Getpagesize())
	for ; err == nil; pages++ {
		_, err = f.Write(page)
	}
	if err := errors.Join(err, f.Close()); !errors.Is(err, syscall.ENOSPC) {
		v.t.Fatal(err)
	}
	return pages - 1
}

// empty gives the room back.
func (v *volume) empty() {
	v.t.Helper()
	if err := os.Remove(v.filler()); err != nil {
		v.t.Fatal(err)
	}
}

// remount polls: the kernel refuses to make a file system read-only while one of
// its files is open for writing.
func (v *volume) remount(options string) {
	v.t.Helper()
	poll(v.t, "remount "+options, func() (bool, error) {
		// With the source named too, mount takes over no option from before; a user
		// namespace has no names for some.
		out, err := v.run("mount", "-t", "tmpfs", "-o", "remount,"+options, volumeSource, v.dir)
		if err != nil && !strings.Contains(out, "busy") {
			return false, fmt.Errorf("%w: %s", err, out)
		}
		return err == nil, nil
	})
}

// copyLog copies a closed log from the volume to where anyone can read it.
func (v *volume) copyLog(log string) string {
	v.t.Helper()
	copied := filepath.Join(v.t.TempDir(), "log")
	if err := forge.Copy(v.outside(log), copied); err != nil {
		v.t.Fatal(err)
	}
	return copied
}
