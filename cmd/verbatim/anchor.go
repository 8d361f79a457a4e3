package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar"
	"verbatim/sidecar/chain"
	"verbatim/sidecar/config"
	"verbatim/sidecar/stellar"
)

func anchorCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "anchor",
		Short: "Publish checkpoint roots on a Soroban contract",
		Long: `Roots of sealed checkpoints go to a contract on a Stellar network, so that
anyone can check later that the log they are shown is the log that was.

  verbatim anchor deploy ...                   make a contract, once for all logs
  verbatim init --log DIR --network ...        make a log that names it
  verbatim anchor open --log DIR ...           register the log there, once
  verbatim serve --anchor.rpc URL ...          publish roots while recording
  verbatim anchor status --log DIR             see how far they are
  verbatim verify --log DIR --anchors --rpc URL   check the log against them

` + exitCodes,
	}
	return group(c, anchorDeployCommand(), anchorOpenCommand(), anchorStatusCommand(), anchorNowCommand(),
		anchorRestoreCommand(), anchorProposeCommand(), anchorAcceptCommand())
}

// sending are the flags of commands that send a transaction.
type sending struct {
	rpc, keyFile, payerKeyFile string
	maxFee                     int64
}

func (s *sending) bind(fs *pflag.FlagSet) {
	fs.StringVar(&s.rpc, "rpc", "", rpcUsage)
	fs.StringVar(&s.keyFile, "key-file", "", "`file` with the seed that signs, mode 0600; without it "+config.EnvAnchorKey+" must hold the seed")
	fs.StringVar(&s.payerKeyFile, "payer-key-file", "", "`file` with the seed of the account that pays; without it "+config.EnvAnchorPayerKey+", or who signs pays")
	fs.Int64Var(&s.maxFee, "max-fee", 0, "the most that one transaction may cost, in `stroops` (10,000,000 are one XLM)")
}

const rpcUsage = "`URL` of a Stellar RPC server"

// need are the flags without which nothing can be sent.
var need = []string{"rpc", "max-fee"}

// begin connects to the server and reads the keys.
func (s *sending) begin(ctx context.Context, passphrase string) (*stellar.Client, stellar.Payment, error) {
	if s.maxFee <= 0 {
		return nil, stellar.Payment{}, fmt.Errorf("--max-fee %d: want the most that one transaction may cost, in stroops, more than 0", s.maxFee)
	}
	payment, err := sidecar.AnchorPayment(s.keyFile, s.payerKeyFile, s.maxFee)
	if err != nil {
		return nil, payment, err
	}
	client, err := stellar.Dial(s.rpc, passphrase)
	if err != nil {
		return nil, payment, fmt.Errorf("--rpc: %w", err)
	}
	if err := client.CheckNetwork(ctx); err != nil {
		client.Close()
		return nil, payment, err
	}
	return client, payment, nil
}

// transact prepares a transaction, sends it and waits until it is in a ledger.
func transact(ctx context.Context, w io.Writer, client *stellar.Client, op stellar.Operation, payment stellar.Payment) error {
	tx, err := client.Prepare(ctx, op, payment)
	if err != nil {
		return err
	}
	if err := client.Send(ctx, tx.Envelope); err != nil && stellar.Rejected(err) {
		return fmt.Errorf("send %s: %w", op, err)
	}
	// After any other failure it may have arrived.
	out, err := client.Await(ctx, tx)
	if err != nil {
		return fmt.Errorf("wait for %s, transaction %x: %w", op, tx.Hash, err)
	}
	if out.Status == stellar.Failed {
		return fmt.Errorf("%s failed in ledger %d, transaction %x: %w", op, out.Ledger, tx.Hash, out.Err)
	}
	return printLine(w, "%-8s ledger %d, fee %s, transaction %x", op, out.Ledger, xlm(out.FeeCharged), tx.Hash)
}

// xlm shows an amount of stroops.
func xlm(stroops int64) string {
	return fmt.Sprintf("%d.%07d XLM (%d stroops)", stroops/1e7, stroops%1e7, stroops)
}

// anchoredLog is a log's identity and where its genesis says that it is anchored.
type anchoredLog struct {
	id    chain.Hash
	where *logv1.Anchor
}

var errNotAnchored = errors.New("its genesis names no contract: only a new log can, see verbatim init --help")

func readAnchored(ctx context.Context, dir string) (anchoredLog, error) {
	v, _, done, err := openLog(ctx, dir)
	if err != nil {
		return anchoredLog{}, err
	}
	defer done()
	if v.Genesis().GetAnchor() == nil {
		return anchoredLog{}, fmt.Errorf("log %s is not anchored: %w", dir, errNotAnchored)
	}
	return anchoredLog{v.ID(), v.Genesis().GetAnchor()}, nil
}

// contractOf is the contract that a log names, ready to be asked and called.
func (s *sending) contractOf(ctx context.Context, l anchoredLog) (*stellar.Client, *stellar.Contract, stellar.Payment, error) {
	client, payment, err := s.begin(ctx, l.where.GetNetwork())
	if err != nil {
		return nil, nil, payment, err
	}
	contract, err := client.Contract(l.where.GetContract())
	if err != nil {
		client.Close()
		return nil, nil, payment, fmt.Errorf("read the contract in the log's genesis: %w", err)
	}
	return client, contract, payment, nil
}
