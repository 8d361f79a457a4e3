package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"verbatim/sidecar/checkpoint"
)

func keyCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "key",
		Short: "Make and show keys that sign checkpoints",
		Long: `A key signs a log's checkpoints, so that whoever has its public half, the
verifier key, can tell that a log, or a checkpoint that they kept, is by the
key's owner. Keys are Ed25519 keys of signed notes (c2sp.org/signed-note).

  verbatim key new --name NAME --out FILE      make a key, print its verifier key
  verbatim serve --checkpoint.key-files FILE ...   sign while recording
  verbatim checkpoint --log DIR                print a signed checkpoint
  verbatim verify --log DIR --keys FILE        check a log's signatures

` + exitCodes,
	}
	return group(c, keyNewCommand(), keyShowCommand())
}

func keyNewCommand() *cobra.Command {
	var name, out string
	c := &cobra.Command{
		Use:   "new --name NAME --out FILE",
		Args:  flagsAlone,
		Short: "Make a key",
		Long: `Makes a key with the operating system's secure generator, writes it to a new
file with mode 0600, and prints its verifier key, which is no secret: give it to
whoever checks the log. It never replaces a file.

NAME stands in every signature. It says whose key it is, for instance
example.org/meters, or, for the tools that want it so, the origin of the one log
that it signs: verbatim/ and the log's id.

` + exitCodes,
		Example: "  verbatim key new --name example.org/meters --out checkpoint.key",
		RunE: func(cmd *cobra.Command, _ []string) error {
			k, err := checkpoint.CreateKeySynced(out, name)
			if err != nil {
				return err
			}
			return printLine(cmd.OutOrStdout(), "%s", k.Public())
		},
	}
	c.Flags().StringVar(&name, "name", "", "the key's `NAME`, without spaces, + and #")
	c.Flags().StringVar(&out, "out", "", "the `file` to make")
	require(c, "name", "out")
	return c
}

func keyShowCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "show FILE",
		Short: "Print a key's verifier key",
		Long: `Prints the verifier key of a key in a file, NAME+HASH+KEY, which is no secret. The
key itself is never shown.

` + exitCodes,
		Example: "  verbatim key show checkpoint.key",
		Args: func(c *cobra.Command, args []string) error {
			if len(args) != 1 {
				return fmt.Errorf("want the file of one key, not %d arguments; see %s --help", len(args), c.CommandPath())
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			k, err := checkpoint.KeyFile(args[0])
			if err != nil {
				return err
			}
			return printLine(cmd.OutOrStdout(), "%s", k.Public())
		},
	}
}
