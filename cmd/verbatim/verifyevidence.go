package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"verbatim/contracts"
	"verbatim/sidecar/checkpoint"
	"verbatim/sidecar/evidence"
	"verbatim/sidecar/stellar"
)

// evidenceFlags are what verify-evidence is given beside the file.
type evidenceFlags struct {
	keys, rpc, contract  string
	asJSON, show, reveal bool
}

func verifyEvidenceCommand() *cobra.Command {
	var o evidenceFlags
	c := &cobra.Command{
		Use:   "verify-evidence FILE [--keys FILE] [--contract C...] [--rpc URL]",
		Short: "Check an evidence file, and explain each step",
		Long: `Checks a file of verbatim prove, or of replay --evidence, without the log, and says
of each step whether it is

  proven   it was computed here
  stated   it fits, and somebody's word is needed for it
  missing  the file has nothing of it
  WRONG    something contradicts something else: a finding

and ends at a rung: SEALED, a checkpoint covers the exchange; CLAIMED, an anchor
receipt of that checkpoint fits; ANCHORED, the public ledger was asked and agrees.
A file that ends at SEALED agrees with itself: whoever made it could have made all of
it. Without --rpc nothing is asked, and it says what to look up.

--keys has the verifier keys that you trust, as for verbatim verify: a missing
signature is a finding then. A file names its keys and its contract itself.
--show prints the entries too, without the values of headers that carry credentials;
--reveal shows these.

` + exitCodes,
		Example: `  verbatim verify-evidence evidence-1042.vbev --keys keys.txt
  verbatim verify-evidence evidence-1042.vbev --rpc https://rpc.example --contract CA3D...`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) != 1 {
				return fmt.Errorf("want one evidence file, not %d arguments; see %s --help", len(args), c.CommandPath())
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			f, r, err := o.check(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			v := evidenceVerdict{f, r, o}
			if err := v.print(cmd.OutOrStdout()); err != nil {
				return err
			}
			if len(r.Findings()) > 0 {
				return errFinding
			}
			return nil
		},
	}
	c.Flags().StringVar(&o.keys, "keys", "", "`file` with the verifier keys that you trust, one a line")
	c.Flags().StringVar(&o.rpc, "rpc", "", rpcUsage+" that you trust")
	c.Flags().StringVar(&o.contract, "contract", "", "`C...`, the contract that you expect the log to name")
	c.Flags().BoolVar(&o.asJSON, "json", false, "print one JSON object")
	c.Flags().BoolVar(&o.show, "show", false, "print the entries, too")
	c.Flags().BoolVar(&o.reveal, "reveal", false, "show the values of headers and parameters that carry credentials")
	return c
}

func (o *evidenceFlags) check(ctx context.Context, path string) (*evidence.File, *evidence.Report, error) {
	trusted := evidence.Trusted{Contract: o.contract}
	if o.keys != "" {
		ring, err := checkpoint.ReadKeyring(o.keys)
		if err != nil {
			return nil, nil, fmt.Errorf("--keys: %w", err)
		}
		trusted.Ring = ring
	}
	f, err := evidence.Read(path)
	if err != nil {
		return nil, nil, err
	}
	r := f.Check(trusted)
	if o.rpc == "" || len(r.Findings()) > 0 {
		return f, r, nil // what is wrong already names no contract to ask
	}
	return f, r, o.ask(ctx, f, r)
}

// ask asks the contract that the file's genesis names.
func (o *evidenceFlags) ask(ctx context.Context, f *evidence.File, r *evidence.Report) error {
	where := f.Anchor()
	if where == nil {
		return fmt.Errorf("--rpc: %w", evidence.ErrNotAnchored)
	}
	client, err := stellar.Dial(o.rpc, where.GetNetwork())
	if err != nil {
		return fmt.Errorf("--rpc: %w", err)
	}
	defer client.Close()
	if err := client.CheckNetwork(ctx); err != nil {
		return err
	}
	contract, err := client.Contract(where.GetContract())
	if err != nil {
		return fmt.Errorf("read the contract in the log's genesis: %w", err)
	}
	return f.Ask(ctx, contract, [][32]byte{contracts.Hash}, r)
}
