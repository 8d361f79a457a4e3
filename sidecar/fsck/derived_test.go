package fsck_test

import (
	"bytes"
	"path/filepath"
	"testing"

	"verbatim/sidecar/fsck"
	"verbatim/tests/forge"
)

// Whatever is made of the entries is made again: the repaired log tells the same.
func TestWhatIsDerivedIsMadeAgain(t *testing.T) {
	whole, cut := newLog(t, 260, 0), newLog(t, 260, 2)
	for name, honest := range map[string]string{"whole": whole, "pruned": cut} {
		want := answers(t, honest)
		for _, family := range derived {
			list := stored(t, honest, family)
			if len(list) == 0 {
				t.Fatalf("nothing in %s", family)
			}
			for what, damage := range map[string]func(dir string){
				"removed": func(dir string) {
					for _, r := range list {
						if !needed(name, family, r) {
							must(t, forge.Delete(dir, family, r.Key))
						}
					}
				},
				"altered": func(dir string) {
					r := list[len(list)-1]
					if family == "links" {
						r = list[len(list)/2]
					}
					v := append([]byte(nil), r.Value...)
					v[len(v)-1] ^= 1
					must(t, forge.Put(dir, family, r.Key, v))
				},
			} {
				if family == "tree" && name == "pruned" && what == "removed" {
					continue // see TestAPrunedLogWithoutItsTreeIsLost
				}
				t.Run(name+" "+family+" "+what, func(t *testing.T) {
					t.Parallel()
					dir := filepath.Join(t.TempDir(), "log")
					must(t, forge.Copy(honest, dir))
					damage(dir)
					p, to := repair(t, dir)
					if p.Lost != nil || len(p.Stranded) > 0 || p.Why != "" {
						t.Errorf("lost %v, stranded %v: %s", p.Lost, p.Stranded, p.Why)
					}
					same(t, answers(t, to), want)
				})
			}
		}
	}
}

// needed says that nothing else has what a record says: the hash before the cut.
func needed(name, family string, r forge.Record) bool {
	return name == "pruned" && family == "links" && bytes.Equal(r.Key, key(3*interval))
}

func TestStateIsMadeAgain(t *testing.T) {
	whole, cut := newLog(t, 120, 0), newLog(t, 260, 2)
	for name, honest := range map[string]string{"whole": whole, "pruned": cut} {
		want := answers(t, honest)
		for _, r := range stored(t, honest, "state") {
			if string(r.Key) == "cleared" {
				continue // nothing is wrong without it: it is cleared again
			}
			for what, damage := range map[string]func(dir string) error{
				"removed": func(dir string) error { return forge.Delete(dir, "state", r.Key) },
				"cut":     func(dir string) error { return forge.Put(dir, "state", r.Key, r.Value[:3]) },
				"altered": func(dir string) error {
					v := append([]byte(nil), r.Value...)
					v[7]--
					return forge.Put(dir, "state", r.Key, v)
				},
			} {
				t.Run(name+" "+string(r.Key)+" "+what, func(t *testing.T) {
					t.Parallel()
					dir := filepath.Join(t.TempDir(), "log")
					must(t, forge.Copy(honest, dir))
					must(t, damage(dir))
					if found, err := fsck.Examine(t.Context(), dir, nil); err != nil || found.Clean() {
						must(t, err)
						same(t, answers(t, dir), want) // it is made again when it is opened
						return
					}
					_, to := repair(t, dir)
					same(t, answers(t, to), want)
				})
			}
		}
	}
}
