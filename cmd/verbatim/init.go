package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/lineage"
)

func initCommand() *cobra.Command {
	var dir, continues string
	var where anchorPlace
	c := &cobra.Command{
		Use:   "init --log DIR [--network NAME --contract C... --writer G...] [--continues DIR]",
		Args:  flagsAlone,
		Short: "Make a new, empty log",
		Long: `Makes a new log in DIR, which must be absent or empty, and prints its id.

This is the only command that begins a history: serve on a directory that is
empty or is not a log is an error. DIR is made with mode 0700. It holds one
entry, the genesis, and is durable when the command ends.

With --network, --contract and --writer the genesis says where the log's roots
are published. That can't be changed later. verbatim anchor deploy makes a
contract; many logs share one.

With --continues the genesis names the log in that directory, and the root at which
it ends: verify --predecessor checks it. That log must be stopped cleanly, so that
its newest entry is a checkpoint. It stays as it is, and nothing may be recorded
into it any more: verification tells.

` + exitCodes,
		Example: `  verbatim init --log /var/lib/verbatim/log
  verbatim init --log DIR --network testnet --contract C... --writer G...
  verbatim init --log NEW --continues OLD`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			anchor, err := where.message()
			if err != nil {
				return err
			}
			before, err := predecessor(continues)
			if err != nil {
				return err
			}
			id, err := auditlog.Create(dir, auditlog.Origin{Anchor: anchor, Predecessor: before})
			if err != nil {
				return err
			}
			p := &printer{w: cmd.OutOrStdout()}
			p.line("log %s made in %s", id, dir)
			if before != nil {
				p.line("it continues log %x at root %x", before.GetLogId(), before.GetChainRoot())
			}
			return p.err
		},
	}
	c.Flags().StringVar(&dir, "log", "", "the log's `directory`")
	c.Flags().StringVar(&continues, "continues", "", "`directory` of the log that the new one continues")
	where.bind(c.Flags())
	require(c, "log")
	return c
}

// predecessor names the log in a directory as the one before; nil for none.
func predecessor(dir string) (*logv1.Predecessor, error) {
	if dir == "" {
		return nil, nil //nolint:nilnil // a log without one
	}
	v, err := auditlog.OpenReadOnly(dir)
	if errors.Is(err, auditlog.ErrInUse) {
		return nil, fmt.Errorf("--continues: %w; stop it first", err)
	}
	if err != nil {
		return nil, fmt.Errorf("--continues: %w", err)
	}
	defer v.Close()
	before, err := lineage.Last(v)
	if err != nil {
		return nil, fmt.Errorf("--continues: %w", err)
	}
	return before, nil
}
