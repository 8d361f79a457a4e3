package clouds

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"gocloud.dev/blob"
	_ "gocloud.dev/blob/azureblob"
	_ "gocloud.dev/blob/gcsblob"
)

// root is the repository's.
const root = "../.."

// inRoot is the absolute path of what has a path in the repository.
func inRoot(t *testing.T, path ...string) string {
	t.Helper()
	absolute, err := filepath.Abs(filepath.Join(append([]string{root}, path...)...))
	if err != nil {
		t.Fatal(err)
	}
	return absolute
}

func program(t *testing.T) string {
	t.Helper()
	return inRoot(t, ".build", "verbatim")
}

func goldenLog(t *testing.T) string {
	t.Helper()
	return inRoot(t, "tests", "golden", "testdata", "log-v1")
}

var servers = map[string]func(context.Context) (*server, error){"google": startGoogle, "microsoft": startMicrosoft}

// TestClouds runs the scripts with each server.
func TestClouds(t *testing.T) {
	program, golden := program(t), goldenLog(t)
	for name, start := range servers {
		t.Run(name, func(t *testing.T) {
			testscript.Run(t, testscript.Params{Dir: "testdata", RequireExplicitExec: true, RequireUniqueNames: true,
				Setup: func(e *testscript.Env) error { return setUp(e, start, program, golden) },
				Cmds:  map[string]func(*testscript.TestScript, bool, []string){"alter": alter, "count": count, "remove": remove},
			})
		})
	}
}

// setUp gives a script a server of its own, the program, and a copy of the golden log.
func setUp(e *testscript.Env, start func(context.Context) (*server, error), program, golden string) error {
	s, err := start(context.Background())
	if err != nil {
		return err
	}
	e.Defer(s.stop)
	url, env := s.client(s.address, "logs/one/")
	for name, value := range env {
		e.Setenv(name, value)
		if err := os.Setenv(name, value); err != nil { // for what a script does to the storage itself
			return err
		}
	}
	e.Setenv("ARCHIVE", url)
	e.Setenv("PATH", filepath.Dir(program)+string(os.PathListSeparator)+e.Getenv("PATH"))
	return os.CopyFS(filepath.Join(e.WorkDir, "log"), os.DirFS(golden))
}

// objects are the keys that begin with a prefix, of the archive that ARCHIVE names.
func objects(ts *testscript.TestScript, prefix string) (b *blob.Bucket, keys []string) {
	ctx := context.Background()
	b, err := blob.OpenBucket(ctx, ts.Getenv("ARCHIVE"))
	ts.Check(err)
	ts.Defer(func() { ts.Check(b.Close()) })
	for list := b.List(&blob.ListOptions{Prefix: prefix}); ; {
		object, err := list.Next(ctx)
		if errors.Is(err, io.EOF) {
			return b, keys
		}
		ts.Check(err)
		keys = append(keys, object.Key)
	}
}

// count is "count PREFIX N": there are so many objects whose names begin so.
func count(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: count PREFIX N")
	}
	if _, keys := objects(ts, args[0]); args[1] != strconv.Itoa(len(keys)) {
		ts.Fatalf("want %s, there are %q", args[1], keys)
	}
}

// alter is "alter PREFIX": it changes one octet of the one object whose name begins so.
func alter(ts *testscript.TestScript, neg bool, args []string) {
	b, key := object(ts, neg, args)
	content, err := b.ReadAll(context.Background(), key)
	ts.Check(err)
	content[len(content)/2] ^= 1
	ts.Check(b.WriteAll(context.Background(), key, content, nil))
}

// remove is "remove PREFIX": it deletes the one object whose name begins so.
func remove(ts *testscript.TestScript, neg bool, args []string) {
	b, key := object(ts, neg, args)
	ts.Check(b.Delete(context.Background(), key))
}

// object is the one whose name begins with what a script's command was given.
func object(ts *testscript.TestScript, neg bool, args []string) (*blob.Bucket, string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: alter PREFIX, remove PREFIX")
	}
	b, keys := objects(ts, args[0])
	if len(keys) != 1 {
		ts.Fatalf("want one object, there are %q", keys)
	}
	return b, keys[0]
}
