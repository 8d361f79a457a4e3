package config

import (
	"errors"
	"fmt"

	"github.com/spf13/pflag"
)

// Checkpoint says who signs checkpoints.
type Checkpoint struct {
	// KeyFiles have the keys that sign, all of them; empty: nothing is signed.
	// Several are an overlap while keys are exchanged.
	KeyFiles []string `yaml:"key_files"`
}

func (c *Checkpoint) bind(fs *pflag.FlagSet) {
	fs.StringSliceVar(&c.KeyFiles, "checkpoint.key-files", c.KeyFiles, "`files` with keys that sign checkpoints, of verbatim key new; empty: nothing is signed")
}

func (c *Config) checkCheckpoint() error {
	seen := map[string]bool{}
	for _, file := range c.Checkpoint.KeyFiles {
		if file == "" {
			return errors.New(`checkpoint.key_files: "" is no file`)
		}
		if seen[file] {
			return fmt.Errorf("checkpoint.key_files: %s is there twice", file)
		}
		seen[file] = true
	}
	return nil
}
