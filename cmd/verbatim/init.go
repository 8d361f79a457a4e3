package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"verbatim/sidecar/auditlog"
)

func initCommand() *cobra.Command {
	var dir string
	c := &cobra.Command{
		Use:   "init --log DIR",
		Args:  flagsAlone,
		Short: "Make a new, empty log",
		Long: `Makes a new log in DIR, which must be absent or empty, and prints its id.

This is the only command that begins a history: serve on a directory that is
empty or is not a log is an error. DIR is made with mode 0700. It holds one
entry, the genesis, and is durable when the command ends.

` + exitCodes,
		Example: "  verbatim init --log /var/lib/verbatim/log",
		RunE: func(cmd *cobra.Command, _ []string) error {
			id, err := auditlog.Create(dir, auditlog.Origin{})
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "log %s made in %s\n", id, dir)
			return err
		},
	}
	c.Flags().StringVar(&dir, "log", "", "the log's `directory`")
	require(c, "log")
	return c
}
