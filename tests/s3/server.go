package s3

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"verbatim/tests/mesh"
)

// What the server takes for its owner.
const (
	accessKey = "verbatim-test"
	secretKey = "not-a-secret-outside-of-tests"
)

// Bucket is the name of the bucket that a server begins with.
const Bucket = "audit"

// Server is a running S3 server with one empty bucket. Its methods are safe for use
// by several goroutines.
type Server struct {
	*Proxy
	dir  string
	stop []func()
}

// Program is where the server's program is, once it was built.
func Program() string {
	_, here, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(here), "..", "..", ".build", "tools", "versitygw")
}

// patience bounds the wait for the server.
const patience = 30 * time.Second

// Start starts a server, and ends it with the test. It puts credentials for it into
// the environment.
func Start(t testing.TB) *Server {
	t.Helper()
	s, err := Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	for name, value := range s.Env() {
		t.Setenv(name, value)
	}
	return s
}

// Run starts a server, which serves until Stop.
func Run(ctx context.Context) (*Server, error) {
	if _, err := os.Stat(Program()); err != nil {
		return nil, errors.New("the S3 server is not built: make s3 builds it")
	}
	// Not a test's own directory: a Unix socket's path is short.
	dir, err := os.MkdirTemp("", "s3-")
	if err != nil {
		return nil, fmt.Errorf("start S3 server: %w", err)
	}
	s := &Server{dir: dir, stop: []func(){func() { _ = os.RemoveAll(dir) }}}
	if err := s.run(ctx); err != nil {
		s.Stop()
		return nil, fmt.Errorf("start S3 server: %w", err)
	}
	return s, nil
}

// Stop ends the server and removes what it holds.
func (s *Server) Stop() {
	for _, stop := range slices.Backward(s.stop) {
		stop()
	}
}

// run starts the program and the proxy, and returns when both take connections.
func (s *Server) run(ctx context.Context) error {
	attributes, buckets, socket := filepath.Join(s.dir, "attributes"), filepath.Join(s.dir, "buckets"), filepath.Join(s.dir, "socket")
	for _, d := range []string{filepath.Join(buckets, Bucket), attributes} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	p, err := mesh.StartProcess(ctx, mesh.ProcessOptions{
		Name: "s3", Path: Program(), Dir: s.dir,
		Args: []string{"--port", socket, "posix", "--sidecar", attributes, buckets},
		Env:  []string{"ROOT_ACCESS_KEY_ID=" + accessKey, "ROOT_SECRET_ACCESS_KEY=" + secretKey},
	})
	if err != nil {
		return err
	}
	s.stop = append(s.stop, p.Kill)
	if err := await(ctx, p, socket); err != nil {
		return err
	}
	var stop func()
	s.Proxy, stop, err = startProxy(ctx, socket)
	if err == nil {
		s.stop = append(s.stop, stop)
	}
	return err
}

// await returns when the program takes connections.
func await(ctx context.Context, p *mesh.Process, socket string) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		if conn, err := (&net.Dialer{}).DialContext(ctx, "unix", socket); err == nil {
			return conn.Close() // it was opened to see that it can be
		}
		select {
		case <-tick.C:
		case <-p.Done():
			log, err := os.ReadFile(p.LogPath)
			return errors.Join(fmt.Errorf("it ended at once: %s", log), err)
		case <-ctx.Done():
			return fmt.Errorf("it takes no connection: %w", context.Cause(ctx))
		}
	}
}

// Env is the environment of a client: the owner's credentials, and nothing of the
// machine's own.
func (s *Server) Env() map[string]string {
	return map[string]string{
		"AWS_ACCESS_KEY_ID": accessKey, "AWS_SECRET_ACCESS_KEY": secretKey, "AWS_SESSION_TOKEN": "",
		"AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull, "AWS_EC2_METADATA_DISABLED": "true",
	}
}

// URL is the bucket's, as gocloud.dev/blob takes it; prefix may be empty.
func (s *Server) URL(prefix string) string {
	q := url.Values{"endpoint": {s.address}, "region": {"us-east-1"}, "use_path_style": {"true"}}
	if prefix != "" {
		q.Set("prefix", prefix)
	}
	return fmt.Sprintf("s3://%s?%s", Bucket, q.Encode())
}

// Path is the file in which the server keeps an object: what somebody who owns the
// storage can change.
func (s *Server) Path(key string) string {
	return filepath.Join(s.dir, "buckets", Bucket, filepath.FromSlash(key))
}

// dial connects to the server.
func dial(socket string) *http.Transport {
	return &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", socket)
	}}
}
