package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"verbatim/sidecar/auditlog"
)

func initCommand() *cobra.Command {
	var dir string
	var where anchorPlace
	c := &cobra.Command{
		Use:   "init --log DIR [--network NAME --contract C... --writer G...]",
		Args:  flagsAlone,
		Short: "Make a new, empty log",
		Long: `Makes a new log in DIR, which must be absent or empty, and prints its id.

This is the only command that begins a history: serve on a directory that is
empty or is not a log is an error. DIR is made with mode 0700. It holds one
entry, the genesis, and is durable when the command ends.

With --network, --contract and --writer the genesis says where the log's roots
are published. That can't be changed later. verbatim anchor deploy makes a
contract; many logs share one.

` + exitCodes,
		Example: `  verbatim init --log /var/lib/verbatim/log
  verbatim init --log DIR --network testnet --contract C... --writer G...`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			anchor, err := where.message()
			if err != nil {
				return err
			}
			id, err := auditlog.Create(dir, auditlog.Origin{Anchor: anchor})
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "log %s made in %s\n", id, dir)
			return err
		},
	}
	c.Flags().StringVar(&dir, "log", "", "the log's `directory`")
	where.bind(c.Flags())
	require(c, "log")
	return c
}
