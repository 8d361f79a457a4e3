package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"verbatim/sidecar/stellar"
)

func anchorProposeCommand() *cobra.Command {
	var to string
	c := writerCommand(&cobra.Command{
		Use:   "propose --log DIR --to G... --rpc URL --key-file FILE --max-fee STROOPS",
		Short: "Name the account that may take over as writer",
		Long: `Names the account that may become the log's writer, for instance when a key is
replaced. The writer signs. Nothing changes until that account accepts; proposing
again replaces the proposal.

` + exitCodes,
	}, func(k *stellar.Contract, l anchoredLog) (stellar.Operation, string, error) {
		op, err := k.Propose(l.id, to)
		return op, fmt.Sprintf("%s may now accept to be the writer of log %s", to, l.id), err
	})
	c.Flags().StringVar(&to, "to", "", "`G...`, the account that may accept")
	require(c, append([]string{"log", "to"}, need...)...)
	return c
}

func anchorAcceptCommand() *cobra.Command {
	c := writerCommand(&cobra.Command{
		Use:   "accept --log DIR --rpc URL --key-file FILE --max-fee STROOPS",
		Short: "Take over as the log's writer",
		Long: `Makes the proposed account the log's writer. That account signs. From then on
only it can publish the log's roots.

` + exitCodes,
	}, func(k *stellar.Contract, l anchoredLog) (stellar.Operation, string, error) {
		return k.Accept(l.id), fmt.Sprintf("the writer of log %s has changed", l.id), nil
	})
	require(c, append([]string{"log"}, need...)...)
	return c
}

// writerCommand is a command that makes one call for a log.
func writerCommand(c *cobra.Command, call func(*stellar.Contract, anchoredLog) (stellar.Operation, string, error)) *cobra.Command {
	var dir string
	var s sending
	c.Args = flagsAlone
	c.RunE = func(cmd *cobra.Command, _ []string) error {
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
		op, done, err := call(contract, l)
		if err != nil {
			return err
		}
		if err := transact(ctx, w, client, op, payment); err != nil {
			return err
		}
		return printLine(w, "%s", done)
	}
	c.Flags().StringVar(&dir, "log", "", "the log's `directory`")
	s.bind(c.Flags())
	return c
}
