package stellar_test

import (
	"sync"
	"testing"
)

// TestManyAtOnce: one client for all, some of them failing.
func TestManyAtOnce(t *testing.T) {
	s, c, k := play(t)
	var group sync.WaitGroup
	for range 4 {
		for question, ask := range questions(s, c, k) {
			group.Go(func() {
				if err := ask(t); err != nil {
					t.Errorf("%s: %v", question, err)
				}
			})
		}
		group.Go(func() {
			if _, err := k.Log(t.Context(), [32]byte{99}); err == nil {
				t.Error("another log is open")
			}
		})
	}
	group.Wait()
}
