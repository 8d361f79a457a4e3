package config

import (
	"errors"
	"fmt"
	"net/url"

	"github.com/spf13/pflag"
)

func (a *Archive) bind(fs *pflag.FlagSet) {
	fs.StringVar(&a.URL, "archive.url", a.URL, "`URL` of the folder or bucket where sealed windows go; empty: nothing is archived")
	fs.Int64Var(&a.Rate, "archive.rate", a.Rate, "the most `bytes` that go to or come from the archive in a second; 0: any number")
	fs.DurationVar(&a.Interval, "archive.interval", a.Interval, "how often to archive what was sealed")
}

func (c *Config) checkArchive() error {
	a := c.Archive
	switch {
	case a.Rate < 0:
		return fmt.Errorf("archive.rate: %d is less than 0, which means any number", a.Rate)
	case a.Interval <= 0:
		return fmt.Errorf("archive.interval: %v is not more than 0s", a.Interval)
	case a.URL == "" && a.Rate != 0:
		return errors.New("archive.url is not set, but archive.rate is: say where the archive is, or remove it")
	case a.URL == "":
		return nil
	}
	// Which kinds of storage there are is known where they are wired.
	if u, err := url.Parse(a.URL); err != nil || u.Scheme == "" {
		return errors.New("archive.url: it is no URL such as s3://BUCKET?region=REGION or file:///FOLDER")
	}
	return nil
}
