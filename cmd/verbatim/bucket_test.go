package main

import (
	"context"

	"github.com/rogpeppe/go-internal/testscript"

	"verbatim/tests/s3"
)

// bucket is "bucket NAME": it starts an S3 server and puts the URL of an archive on it
// into the environment, as NAME, and the folder that the server keeps it in, as
// NAME_FOLDER.
func bucket(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: bucket NAME")
	}
	s, err := s3.Run(context.Background())
	ts.Check(err)
	ts.Defer(s.Stop)
	for name, value := range s.Env() {
		ts.Setenv(name, value)
	}
	ts.Setenv(args[0], s.URL("logs/one/"))
	ts.Setenv(args[0]+"_FOLDER", s.Path("logs/one"))
}
