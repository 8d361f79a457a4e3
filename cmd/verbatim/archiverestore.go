package main

import (
	"errors"

	"github.com/spf13/cobra"

	"verbatim/sidecar/archive"
)

func archiveRestoreCommand() *cobra.Command {
	var from, dir string
	var keys []string
	c := &cobra.Command{
		Use:   "restore --from URL --to DIR",
		Args:  flagsAlone,
		Short: "Make a log of what an archive holds",
		Long: `Makes a log in DIR, which must be absent or empty, of all that an archive holds,
through its newest checkpoint. Every object's size and digest and every link is
checked on the way: what is missing, altered, exchanged or cut off is named, and
DIR then holds no log.

A log that was restored and goes on recording is another history than the one
that may have gone on elsewhere: restore to read, and begin a new log to record.

` + exitCodes,
		Example: "  verbatim archive restore --from 's3://audit?region=eu-central-1&prefix=site-7/' --to DIR",
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			known, err := archiveKeys(keys)
			if err != nil {
				return err
			}
			bucket, err := archive.Open(cmd.Context(), from, nil)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, bucket.Close()) }()
			s, err := restore(cmd.Context(), bucket, dir, known, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			return printStanding(cmd.OutOrStdout(), "restored", s)
		},
	}
	c.Flags().StringVar(&from, "from", "", "the archive's `URL`")
	c.Flags().StringVar(&dir, "to", "", "`directory` for the log")
	c.Flags().StringArrayVar(&keys, "archive-key", nil, "verifier `key`, one of which must have signed the newest manifest; may be given again")
	require(c, "from", "to")
	return c
}
