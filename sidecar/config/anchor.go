package config

import (
	"errors"
	"fmt"
	"net/url"

	"github.com/spf13/pflag"
)

func (a *Anchor) bind(fs *pflag.FlagSet) {
	fs.StringVar(&a.RPC, "anchor.rpc", a.RPC, "`URL` of a Stellar RPC server; empty: nothing is published")
	fs.StringVar(&a.KeyFile, "anchor.key-file", a.KeyFile, "`file` with the writer's seed, mode 0600; empty: "+EnvAnchorKey)
	fs.StringVar(&a.PayerKeyFile, "anchor.payer-key-file", a.PayerKeyFile,
		"`file` with the seed of the account that pays; empty: "+EnvAnchorPayerKey+", or the writer pays")
	fs.Int64Var(&a.MaxFee, "anchor.max-fee", a.MaxFee, "the most that one transaction may cost, in `stroops`; must be set with anchor.rpc")
	fs.IntVar(&a.Every, "anchor.every", a.Every, "how many checkpoints make an anchor due; the newest covers those before it")
	fs.DurationVar(&a.MinInterval, "anchor.min-interval", a.MinInterval, "the least time between two anchors")
	fs.DurationVar(&a.AlarmAfter, "anchor.alarm-after", a.AlarmAfter, "how old a checkpoint may get that is not anchored; 0: any age")
}

func (c *Config) checkAnchor() error {
	a := c.Anchor
	switch {
	case a.Every < 1:
		return fmt.Errorf("anchor.every: %d is less than 1", a.Every)
	case a.MinInterval < 0:
		return fmt.Errorf("anchor.min_interval: %v is less than 0s", a.MinInterval)
	case a.AlarmAfter < 0:
		return fmt.Errorf("anchor.alarm_after: %v is less than 0s, which means any age", a.AlarmAfter)
	case a.RPC != "" && a.MaxFee <= 0:
		return errors.New("anchor.max_fee is not set: say the most that one transaction may cost, in stroops (10,000,000 are one XLM)")
	case a.RPC != "":
		return checkRPC(a.RPC)
	case a.KeyFile != "" || a.PayerKeyFile != "" || a.MaxFee != 0:
		return errors.New("anchor.rpc is not set, but other settings of anchor are: say the URL of a Stellar RPC server, or remove them")
	}
	return nil
}

// checkRPC never shows the URL, which may hold a secret.
func checkRPC(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return errors.New("anchor.rpc: it is no URL of the form https://host[:port][/path]")
	}
	return nil
}
