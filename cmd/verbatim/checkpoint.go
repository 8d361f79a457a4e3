package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/checkpoint"
)

func checkpointCommand() *cobra.Command {
	var dir string
	var id uint64
	c := &cobra.Command{
		Use:   "checkpoint --log DIR [--id N]",
		Args:  flagsAlone,
		Short: "Print a signed checkpoint of a log",
		Long: `Prints the signed note of a checkpoint as the log keeps it, octet by octet; the
newest without --id. It is a checkpoint of a transparency log
(c2sp.org/tlog-checkpoint): origin, size and root of the RFC 6962 tree over the
entry hashes, then a line with the checkpoint's id, its offset and its own entry
hash, and the signatures.

Keep it elsewhere: verbatim verify --checkpoint FILE tells later whether a log
still contains it. Nothing is checked here. The log may be in use.

` + exitCodes,
		Example: "  verbatim checkpoint --log /var/lib/verbatim/log > checkpoint.txt",
		RunE: func(cmd *cobra.Command, _ []string) error {
			v, _, done, err := openLog(cmd.Context(), dir)
			if err != nil {
				return err
			}
			defer done()
			raw, err := keptNote(v, cmd.Flags().Changed("id"), id)
			if err != nil {
				return err
			}
			_, err = cmd.OutOrStdout().Write(raw)
			return err
		},
	}
	c.Flags().StringVar(&dir, "log", "", "the log's `directory`")
	c.Flags().Uint64Var(&id, "id", 0, "`number` of the checkpoint; without it the newest that is signed")
	require(c, "log")
	return c
}

// keptNote is one checkpoint's note, or the newest.
func keptNote(v *auditlog.View, one bool, id uint64) (raw []byte, err error) {
	if one {
		raw, err = checkpoint.Kept(v, id)
	} else {
		_, raw, err = checkpoint.Newest(v)
	}
	if errors.Is(err, checkpoint.ErrNoNote) {
		return nil, fmt.Errorf("%w: verbatim serve --checkpoint.key-files signs what is sealed from then on", err)
	}
	return raw, err
}
