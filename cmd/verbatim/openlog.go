package main

import (
	"context"
	"errors"
	"io"

	"github.com/spf13/pflag"

	"verbatim/sidecar/admin"
	"verbatim/sidecar/archive"
	"verbatim/sidecar/auditlog"
)

// logFlags say which log a command reads.
type logFlags struct {
	log, cache string
	keys       []string
}

func (f *logFlags) bind(fs *pflag.FlagSet) {
	fs.StringVar(&f.log, "log", "", "the log's `directory`, or an archive's URL")
	fs.StringVar(&f.cache, "cache", "", "`directory` where what an archive holds is kept for the next command")
	fs.StringArrayVar(&f.keys, "archive-key", nil, "verifier `key`, one of which must have signed the archive's newest manifest; may be given again")
}

// open opens the log for reading, also while serve runs on it: then the serving
// process makes a snapshot for us. Of an archive it first makes a log; progress is
// shown on w. captured are the addresses that a serving process captures.
func (f *logFlags) open(ctx context.Context, w io.Writer) (v *auditlog.View, captured []string, done func(), err error) {
	if err := f.check(); err != nil {
		return nil, nil, nil, err
	}
	if archive.IsURL(f.log) {
		v, done, err = f.fetch(ctx, w)
		return v, nil, done, err
	}
	return openLog(ctx, f.log)
}

// check refuses flags that don't fit together.
func (f *logFlags) check() error {
	if !archive.IsURL(f.log) && (f.cache != "" || len(f.keys) > 0) {
		return errors.New("--cache and --archive-key are for archives: --log names a directory, leave them out")
	}
	return nil
}

func openLog(ctx context.Context, dir string) (v *auditlog.View, captured []string, done func(), err error) {
	v, err = auditlog.OpenReadOnly(dir)
	if err == nil {
		return v, nil, v.Close, nil
	}
	if !errors.Is(err, auditlog.ErrInUse) {
		return nil, nil, nil, err
	}
	path, captured, release, err := admin.HoldSnapshot(ctx, dir)
	if err != nil {
		return nil, nil, nil, err
	}
	v, err = auditlog.OpenReadOnly(path)
	if err != nil {
		release()
		return nil, nil, nil, err
	}
	return v, captured, func() { v.Close(); release() }, nil
}
