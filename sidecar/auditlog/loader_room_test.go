package auditlog

import (
	"os"
	"testing"

	"verbatim/tests/fulldisk"
)

// TestALoaderThatDoesNotBeginLeavesNothing: the next attempt needs an empty directory.
func TestALoaderThatDoesNotBeginLeavesNothing(t *testing.T) {
	fulldisk.Alone(t, func() {
		dir := t.TempDir()
		refill := fulldisk.Fill(t)
		_, err := NewLoader(dir, LoadOptions{})
		refill()
		if err == nil {
			t.Fatal("a log was begun on a full disk")
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("left %v, %v", left, err)
		}
		l, err := NewLoader(dir, LoadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Abandon(); err != nil {
			t.Fatal(err)
		}
	})
}
