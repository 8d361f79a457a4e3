package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"verbatim/sidecar/evidence"
)

func proveCommand() *cobra.Command {
	var log logFlags
	var offset, id uint64
	var out string
	c := &cobra.Command{
		Use:   "prove --log DIR --offset N [--out FILE]",
		Args:  flagsAlone,
		Short: "Write a file that proves one exchange without the log",
		Long: `Writes one evidence file: a request with its outcome, found by the offset of
either, and all that leads from there to a checkpoint and on to whoever vouches for
that: inclusion proofs, the checkpoint's own entry, its signed note, its anchor
receipt. verbatim verify-evidence checks it on another machine, without the log and
without the network. Another entry, such as a gap, is proved alone.

It proves in the newest checkpoint that has an anchor receipt and covers the
exchange, or else in the first that covers it and is signed, or else in the first.
--checkpoint names another: an earlier one shows that the exchange was there earlier.

The file holds the entries as they were recorded, credentials too: give it to whom
you would give these. It is made for its owner alone, and never in place of another.
The log may be in use.

` + exitCodes,
		Example: `  verbatim prove --log /var/lib/verbatim/log --offset 1042
  verbatim prove --log DIR --offset 1042 --out - | ssh auditor 'cat > evidence-1042.vbev'`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var o evidence.Options
			if cmd.Flags().Changed("checkpoint") {
				o.Checkpoint = &id
			}
			if out == "-" && isTerminal(cmd.OutOrStdout()) {
				return errors.New("--out -: evidence is no text for a terminal; redirect it, or name a file")
			}
			v, _, done, err := log.open(cmd.Context(), cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			defer done()
			f, err := evidence.Prove(cmd.Context(), v, offset, o)
			if err != nil {
				return err
			}
			if out == "-" {
				_, err = cmd.OutOrStdout().Write(f.Bytes())
				return err
			}
			if out == "" {
				out = fmt.Sprintf("evidence-%d.vbev", offset)
			}
			if err := f.WriteSynced(out); err != nil {
				return err
			}
			return printProved(cmd.OutOrStdout(), out, f)
		},
	}
	log.bind(c.Flags())
	c.Flags().Uint64Var(&offset, "offset", 0, "`offset` of a request, of its outcome, or of another entry")
	c.Flags().Uint64Var(&id, "checkpoint", 0, "`number` of the checkpoint to prove in")
	c.Flags().StringVar(&out, "out", "", "new `file`, - for the standard output; without it evidence-N.vbev")
	require(c, "log", "offset")
	return c
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

func printProved(w io.Writer, path string, f *evidence.File) error {
	p, own := &printer{w: w}, 0
	for _, e := range f.Entries() {
		own += len(e.Raw)
	}
	at := f.Checkpoint()
	p.line("evidence         %s, of %s", path, offsetsOf(f))
	p.line("octets           %d, %d of them the entries' own", len(f.Bytes()), own)
	p.line("checkpoint       %d, root %s", at.Checkpoint.GetCheckpointId(), at.Root)
	p.line("%s: verbatim verify-evidence explains each step", f.Check(evidence.Trusted{}).Rung())
	return p.err
}

// offsetsOf names the entries of an exchange.
func offsetsOf(f *evidence.File) string {
	text := "entry"
	if len(f.Entries()) > 1 {
		text = "entries"
	}
	for i, e := range f.Entries() {
		if i > 0 {
			text += ","
		}
		text += fmt.Sprintf(" %d", e.Offset)
	}
	return text
}
