package main

import (
	"crypto/rand"

	"github.com/spf13/cobra"

	"verbatim/contracts"
	"verbatim/sidecar/stellar"
)

func anchorDeployCommand() *cobra.Command {
	var s sending
	var name string
	c := &cobra.Command{
		Use:   "deploy --network NAME --rpc URL --key-file FILE --max-fee STROOPS",
		Args:  flagsAlone,
		Short: "Make an audit_root contract",
		Long: `Puts the audit_root contract's code on a network and makes a contract of it, in
two transactions, and prints the contract's address. Nobody owns it, it can't be
changed, and any number of logs can share it: a fleet needs one.

--max-fee is asked of each transaction; nothing is sent that could cost more.

` + exitCodes,
		Example: "  verbatim anchor deploy --network testnet --rpc https://rpc.example.org --key-file writer.key --max-fee 20000000",
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, w := cmd.Context(), cmd.OutOrStdout()
			client, payment, err := s.begin(ctx, passphrase(name))
			if err != nil {
				return err
			}
			defer client.Close()
			payment.Writer = nil // whoever pays also makes it: it gives no rights
			if err := transact(ctx, w, client, stellar.Upload(contracts.Wasm), payment); err != nil {
				return err
			}
			var salt [32]byte
			_, _ = rand.Read(salt[:]) // never fails
			op, id, err := client.Create(contracts.Hash, payment.Payer.Address(), salt)
			if err != nil {
				return err
			}
			if err := transact(ctx, w, client, op, payment); err != nil {
				return err
			}
			return printLine(w, "contract %s", id)
		},
	}
	s.bind(c.Flags())
	c.Flags().StringVar(&name, "network", "", networkUsage)
	require(c, append([]string{"network"}, need...)...)
	return c
}
