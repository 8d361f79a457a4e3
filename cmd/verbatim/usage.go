package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"verbatim/sidecar/archive"
)

// require marks flags without which a command makes no sense; neither do they
// when empty.
func require(c *cobra.Command, names ...string) {
	for _, n := range names {
		if err := c.MarkFlagRequired(n); err != nil {
			panic(err) // a flag that was not declared
		}
	}
	c.PreRunE = func(c *cobra.Command, _ []string) error {
		for _, n := range names {
			f := c.Flag(n)
			if !f.Changed || f.Value.String() == "" {
				_, usage := pflag.UnquoteUsage(f)
				return fmt.Errorf("--%s is not given: say %s, or see %s --help", n, usage, c.CommandPath())
			}
		}
		return noURLs(c)
	}
}

// noURLs refuses an archive's URL where a directory belongs, which it could become the
// name of. It is not shown.
func noURLs(c *cobra.Command) (err error) {
	c.Flags().Visit(func(f *pflag.Flag) {
		kind, usage := pflag.UnquoteUsage(f)
		if err == nil && kind == "directory" && !strings.Contains(usage, "URL") && archive.IsURL(f.Value.String()) {
			err = fmt.Errorf("--%s is a URL, and %s takes a directory there: verbatim archive restore makes a log of an archive", f.Name, c.CommandPath())
		}
	})
	return err
}

// group makes a command out of others alone; without one of them it explains
// itself.
func group(c *cobra.Command, commands ...*cobra.Command) *cobra.Command {
	c.AddCommand(commands...)
	c.DisableFlagsInUseLine = true
	c.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
	c.Args = func(c *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		var names []string
		for _, sub := range c.Commands() {
			if sub.IsAvailableCommand() {
				names = append(names, sub.Name())
			}
		}
		return fmt.Errorf("there is no command %q: %s has %s; see %s --help", args[0], c.CommandPath(), strings.Join(names, ", "), c.CommandPath())
	}
	return c
}

// flagsAlone refuses arguments that belong to no flag.
func flagsAlone(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return fmt.Errorf("unexpected argument %q: %s takes flags alone; see %s --help", args[0], c.CommandPath(), c.CommandPath())
}

// takes says in words what a flag of a type takes.
var takes = map[string]string{
	"uint64": "a whole number, 0 or more", "uint32": "a whole number, 0 or more", "int": "a whole number",
	"duration": "a duration with a unit, such as 10s", "bool": "true or false",
}

// badFlag says in words what pflag says in terms of Go.
func badFlag(c *cobra.Command, err error) error {
	var bad *pflag.InvalidValueError
	if errors.As(err, &bad) {
		if need, ok := takes[bad.GetFlag().Value.Type()]; ok {
			return fmt.Errorf("--%s %q: want %s", bad.GetFlag().Name, bad.GetValue(), need)
		}
		return fmt.Errorf("--%s: %w", bad.GetFlag().Name, errors.Unwrap(bad))
	}
	if before := c.Flags().Args(); c.HasSubCommands() && len(before) > 0 {
		return c.Args(c, before) // not the flag is wrong, but the command
	}
	return fmt.Errorf("%w; see %s --help", err, c.CommandPath())
}
