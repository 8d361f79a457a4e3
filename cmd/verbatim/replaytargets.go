package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/pflag"

	"verbatim/replay"
	"verbatim/replay/fresh"
	"verbatim/replay/target"
)

// targetFlags say what a replay is sent to, and how that gets into its state.
type targetFlags struct {
	urls   []string
	twice  bool
	via    string // an Envoy that leads to the target; empty: none
	before string
	bound  time.Duration // of before
}

func (f *targetFlags) bind(fs *pflag.FlagSet) {
	fs.StringArrayVar(&f.urls, "target", nil, "`URL` of a fresh instance of the pipeline; with --twice it may be given again, for the second replay")
	fs.StringVar(&f.via, "via", "", "`URL` of a listener of an Envoy without capture, by which the target is reached")
	fs.BoolVar(&f.twice, "twice", false, "make two replays and compare them, too; needs --before, or a second --target")
	fs.StringVar(&f.before, "before", "", "`command` for sh, or URL to POST to, that brings the target into its starting state before each replay")
	fs.DurationVar(&f.bound, "before-timeout", 5*time.Minute, "bound of --before, and of the wait until the target accepts connections")
}

// check refuses flags that do not fit each other.
func (f *targetFlags) check() error {
	for _, url := range f.urls {
		if url == "" {
			return errors.New("--target is empty: say the URL of a fresh instance of the pipeline")
		}
	}
	switch n := len(f.urls); {
	case n > 2:
		return fmt.Errorf("--target is given %d times: a replay is made once, or twice", n)
	case n == 2 && !f.twice:
		return errors.New("--target is given twice, which is for --twice: give it, too, or one target")
	case n == 2 && f.via != "":
		return errors.New("--via leads to one target: give --target once, and --before for --twice")
	case f.twice && n < 2 && f.before == "":
		return errors.New("--twice needs a fresh instance for each replay: give --before, or a second --target")
	case f.twice && n == 2 && f.urls[0] == f.urls[1] && f.before == "":
		return fmt.Errorf("--twice needs a fresh instance for each replay: both targets are %s; name another, or give --before", f.urls[0])
	}
	return nil
}

// refuseCaptured fails if a target leads to what is being recorded: before anything
// is done to it.
func (f *targetFlags) refuseCaptured(ctx context.Context, captured []string) error {
	urls := f.urls
	if f.via != "" {
		urls = append(urls[:len(urls):len(urls)], f.via)
	}
	for _, url := range urls {
		if err := replay.RefuseCaptured(ctx, url, captured); err != nil {
			return err
		}
	}
	return nil
}

// opener opens a target in its starting state.
type opener func(protocol string) (*target.Target, error)

// open is how the replays find their targets; second is nil if there is one replay.
func (f *targetFlags) open(ctx context.Context, stderr io.Writer) (first, second opener) {
	if first = f.opener(ctx, stderr, f.urls[0]); f.twice {
		second = f.opener(ctx, stderr, f.urls[len(f.urls)-1])
	}
	return first, second
}

func (f *targetFlags) opener(ctx context.Context, stderr io.Writer, url string) opener {
	return func(protocol string) (*target.Target, error) {
		reached, o := url, target.Options{Protocol: target.Protocol(protocol)}
		if f.via != "" {
			reached, o.Via = f.via, true
		}
		t, err := target.New(reached, o)
		if err != nil {
			return nil, fmt.Errorf("open target: %w", err)
		}
		if f.before == "" {
			return t, nil
		}
		ctx, cancel := context.WithTimeoutCause(ctx, f.bound, fmt.Errorf("it took longer than %v", f.bound))
		defer cancel()
		itself, err := target.New(url, target.Options{Protocol: target.Protocol(protocol)})
		if err != nil {
			return nil, fmt.Errorf("open target: %w", err)
		}
		if err := fresh.Step(f.before).Run(ctx, itself.Address(), stderr); err != nil {
			return nil, fmt.Errorf("--before: %w", err)
		}
		return t, nil
	}
}
