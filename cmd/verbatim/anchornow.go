package main

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	anchorv1 "verbatim/proto/verbatim/anchor/v1"
	"verbatim/sidecar/admin"
	"verbatim/sidecar/anchor"
	"verbatim/sidecar/auditlog"
)

func anchorNowCommand() *cobra.Command {
	var dir string
	var s sending
	c := &cobra.Command{
		Use:   "now --log DIR [--rpc URL --key-file FILE --max-fee STROOPS]",
		Args:  flagsAlone,
		Short: "Publish the newest checkpoint's root at once",
		Long: `Publishes the root of the newest checkpoint and waits until it is in a ledger and
its receipt is kept. If verbatim serve runs on the log, that process does it, with
its own settings; else this one does, and needs --rpc, --max-fee and the key.

` + exitCodes,
		Example: "  verbatim anchor now --log DIR",
		RunE: func(cmd *cobra.Command, _ []string) error {
			receipt, err := anchorNow(cmd.Context(), dir, &s)
			if err != nil {
				return err
			}
			if receipt == nil {
				return printLine(cmd.OutOrStdout(), "the log has no checkpoint yet: nothing to publish")
			}
			return printLine(cmd.OutOrStdout(), "anchored through offset %d: checkpoint %d in ledger %d, closed at %s", receipt.GetOffset(),
				receipt.GetCheckpointId(), receipt.GetLedger(), time.Unix(receipt.GetClosedAt(), 0).UTC().Format(time.RFC3339))
		},
	}
	c.Flags().StringVar(&dir, "log", "", "the log's `directory`")
	s.bind(c.Flags())
	require(c, "log")
	return c
}

// anchorNow asks the process that writes the log, or is that process for a while.
func anchorNow(ctx context.Context, dir string, s *sending) (*anchorv1.Receipt, error) {
	err := auditlog.Available(dir)
	if errors.Is(err, auditlog.ErrInUse) {
		return admin.AnchorNow(ctx, dir)
	}
	if err != nil {
		return nil, err
	}
	if s.rpc == "" {
		return nil, errors.New("no verbatim serve runs on the log: say --rpc, --key-file and --max-fee, so that this command can publish the root")
	}
	l, err := readAnchored(ctx, dir)
	if err != nil {
		return nil, err
	}
	client, contract, payment, err := s.contractOf(ctx, l)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	log, err := auditlog.Open(dir, auditlog.Options{})
	if err != nil {
		return nil, err
	}
	worker := anchor.New(anchor.Options{Log: log, Where: l.where, Client: client, Contract: contract, Payment: payment})
	receipt, err := worker.Once(ctx)
	return receipt, errors.Join(err, log.Close(context.WithoutCancel(ctx)))
}
