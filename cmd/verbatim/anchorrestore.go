package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"verbatim/sidecar/anchor"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/stellar"
)

func anchorRestoreCommand() *cobra.Command {
	var dir string
	var s sending
	c := &cobra.Command{
		Use:   "restore --log DIR --rpc URL --key-file FILE --max-fee STROOPS",
		Args:  flagsAlone,
		Short: "Bring expired entries of the contract back",
		Long: `Entries on the ledger that nobody touches for 120 days expire: they are in the
network's archive then, and have to be brought back before the contract finds
them. This brings back the contract itself, the log's entry and every root that
the log has a receipt of. A later root covers an expired one all the same.

` + exitCodes,
		Example: "  verbatim anchor restore --log DIR --rpc https://rpc.example.org --key-file writer.key --max-fee 50000000",
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, w := cmd.Context(), cmd.OutOrStdout()
			l, err := readAnchored(ctx, dir)
			if err != nil {
				return err
			}
			ids, err := receiptIDs(ctx, dir)
			if err != nil {
				return err
			}
			client, contract, payment, err := s.contractOf(ctx, l)
			if err != nil {
				return err
			}
			defer client.Close()
			expired, err := contract.Expired(ctx, l.id, ids)
			if err != nil {
				return fmt.Errorf("look for expired entries: %w", err)
			}
			for i := 0; i < len(expired); i += stellar.RestoreAtOnce {
				some := expired[i:min(i+stellar.RestoreAtOnce, len(expired))]
				op, err := stellar.Restore(some...)
				if err != nil {
					return err
				}
				if err := transact(ctx, w, client, op, payment); err != nil {
					return errors.Join(err, fmt.Errorf("%d of %d expired entries are restored", i, len(expired)))
				}
			}
			return printLine(w, "%d entries had expired and are restored", len(expired))
		},
	}
	c.Flags().StringVar(&dir, "log", "", "the log's `directory`")
	s.bind(c.Flags())
	require(c, append([]string{"log"}, need...)...)
	return c
}

// receiptIDs lists the checkpoints that the log has receipts of.
func receiptIDs(ctx context.Context, dir string) ([]uint64, error) {
	v, _, done, err := openLog(ctx, dir)
	if err != nil {
		return nil, err
	}
	defer done()
	return idsOf(ctx, v)
}

func idsOf(ctx context.Context, v *auditlog.View) (ids []uint64, err error) {
	for r, err := range anchor.Receipts(ctx, v, 0) {
		if err != nil {
			return nil, err
		}
		ids = append(ids, r.GetCheckpointId())
	}
	return ids, nil
}
