package forger

import (
	"fmt"
	"os"
	"testing"

	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/checkpoint"
)

// auditor keeps what somebody keeps who looked at the log now: the root and the note
// of the newest checkpoint, and which keys are good for which sizes.
func (r *recorder) auditor(h *honest) {
	r.t.Helper()
	v, err := r.log.View()
	if err != nil {
		r.t.Fatal(err)
	}
	defer v.Close()
	id, note, err := checkpoint.Newest(v)
	if err != nil {
		r.t.Fatal(err)
	}
	c, err := v.Checkpoint(id)
	if err != nil {
		r.t.Fatal(err)
	}
	h.root = fmt.Sprintf("%d:%s", c.Offset, c.Root)
	h.note = file(r.t, h.dir+".kept.txt", note)
	h.keys = file(r.t, h.dir+".keys.txt", fmt.Appendf(nil, "%s until=%d\n%s from=%d\n", r.s.old.Public(), lastOfOld, r.s.new.Public(), firstOfNew))
}

func file(t *testing.T, path string, content []byte) string {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// list are a log's checkpoints.
func list(t *testing.T, dir string) []auditlog.CheckpointAt {
	t.Helper()
	v, err := auditlog.OpenReadOnly(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	all, err := v.Checkpoints(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	return all
}
