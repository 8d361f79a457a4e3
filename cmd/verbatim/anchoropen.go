package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"verbatim/sidecar/stellar"
)

func anchorOpenCommand() *cobra.Command {
	var dir string
	var s sending
	c := &cobra.Command{
		Use:   "open --log DIR --rpc URL --key-file FILE --max-fee STROOPS",
		Args:  flagsAlone,
		Short: "Register a log on its contract",
		Long: `Registers the log on the contract that its genesis names, with the writer that
its genesis names. That is done once, before its first root can be published.
If it is done already, the command says so. The log may be in use.

` + exitCodes,
		Example: "  verbatim anchor open --log DIR --rpc https://rpc.example.org --key-file writer.key --max-fee 5000000",
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, w := cmd.Context(), cmd.OutOrStdout()
			l, err := readAnchored(ctx, dir)
			if err != nil {
				return err
			}
			client, contract, payment, err := s.contractOf(ctx, l)
			if err != nil {
				return err
			}
			defer client.Close()
			state, err := contract.Log(ctx, l.id)
			if err == nil {
				if state.Writer != l.where.GetWriter() {
					err = printLine(w, "log %s is open, and its writer is %s: not the one in its genesis", l.id, state.Writer)
					return errors.Join(errFinding, err)
				}
				return printLine(w, "log %s is open already, its writer is %s", l.id, state.Writer)
			}
			if !errors.Is(err, stellar.ErrNotOpen) {
				return fmt.Errorf("ask contract %s for the log: %w", contract.ID(), err)
			}
			op, err := contract.Open(l.id, l.where.GetWriter())
			if err != nil {
				return err
			}
			if err := transact(ctx, w, client, op, payment); err != nil {
				return err
			}
			return printLine(w, "log %s is open on contract %s, its writer is %s", l.id, contract.ID(), l.where.GetWriter())
		},
	}
	c.Flags().StringVar(&dir, "log", "", "the log's `directory`")
	s.bind(c.Flags())
	require(c, append([]string{"log"}, need...)...)
	return c
}
