package fresh_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"

	"verbatim/replay/fresh"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// target accepts connections.
func target(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l.Addr().String()
}

func TestACommandKnowsTheTarget(t *testing.T) {
	address, dir := target(t), t.TempDir()
	file := filepath.Join(dir, "told")
	var said bytes.Buffer
	if err := fresh.Step(`printf %s "$VERBATIM_TARGET" > '`+file+`'; echo done`).Run(t.Context(), address, &said); err != nil {
		t.Fatal(err)
	}
	told, err := os.ReadFile(file)
	if err != nil || string(told) != address || said.String() != "done\n" {
		t.Errorf("told %q, said %q, %v", told, said.String(), err)
	}
}

func TestAURLIsPostedTo(t *testing.T) {
	var posts atomic.Int64
	status := http.StatusNoContent
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if q.Method == http.MethodPost && q.URL.Path == "/reset" {
			posts.Add(1)
		}
		w.WriteHeader(status)
	}))
	defer s.Close()
	step := fresh.Step(s.URL + "/reset")
	if err := step.Run(t.Context(), target(t), nil); err != nil || posts.Load() != 1 {
		t.Errorf("%d posts, %v", posts.Load(), err)
	}
	for _, status = range []int{http.StatusFound, http.StatusInternalServerError} {
		if err := step.Run(t.Context(), target(t), nil); !errors.Is(err, fresh.ErrStep) || !strings.Contains(err.Error(), http.StatusText(status)) {
			t.Errorf("%d: %v", status, err)
		}
	}
}

func TestAStepThatFailsIsAnError(t *testing.T) {
	for name, step := range map[string]fresh.Step{"a command": "exit 3", "no such server": "http://127.0.0.1:1/"} {
		if err := step.Run(t.Context(), target(t), nil); !errors.Is(err, fresh.ErrStep) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestTheTargetIsWaitedFor: it begins to listen when the step is over.
func TestTheTargetIsWaitedFor(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	ended, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("enough"))
	if err := fresh.Step("true").Run(ended, address, nil); !errors.Is(err, fresh.ErrStep) || !strings.HasSuffix(err.Error(), "enough") {
		t.Errorf("%v", err)
	}
	done := make(chan error)
	go func() { done <- fresh.Step("true").Run(t.Context(), address, nil) }()
	l, err = net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestACommandEndsWithItsContext: with all that it started.
func TestACommandEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	done := make(chan error)
	go func() { done <- fresh.Step(`sleep 1000 & echo up; wait`).Run(ctx, target(t), w) }()
	if _, err := r.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-done; !errors.Is(err, fresh.ErrStep) || !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := bytes.NewBuffer(nil).ReadFrom(r); err != nil { // ends when nobody holds the other end
		t.Error(err)
	}
}

// TestPasswordsAreNotShown: whatever is wrong with a URL, or with what answers there.
func TestPasswordsAreNotShown(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	defer s.Close()
	for _, u := range []string{
		s.URL + "/reset?token=s3cret", "http://127.0.0.1:1/reset?token=s3cret", "http://s3cret@127.0.0.1:1/",
		"http://u:s3cret@127.0.0.1:1/", "http://u:s3cret@h:x/", "http://u:s3cret@%zz/",
	} {
		err := fresh.Step(u).Run(t.Context(), "127.0.0.1:1", io.Discard)
		if !errors.Is(err, fresh.ErrStep) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v", u, err)
		}
	}
}
