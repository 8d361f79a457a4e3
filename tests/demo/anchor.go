package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/stellar/go-stellar-sdk/keypair"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/tests/forge"
	"verbatim/tests/soroban"
)

// What the demo pays with, and at most for one transaction, in stroops.
const (
	funds  = 1_000 * 10_000_000
	maxFee = 20 * 10_000_000
)

// ledgerInterval is between two ledgers; on the public network it is five seconds.
const ledgerInterval = 250 * time.Millisecond

// errDemanded: there is no node, and the environment wants one.
var errDemanded = errors.New("VERBATIM_DEMAND_SOROBAN is set")

// publicLedger is a Stellar network of one node, and the contract on it.
type publicLedger struct {
	node              *soroban.Node
	writer            string // G...
	keyFile, contract string
}

// startLedger starts the node and deploys the contract. Without a node, which needs
// a Rust toolchain, it says what is left out and returns nil.
func (d *demo) startLedger(ctx context.Context) (*publicLedger, error) {
	writer, err := keypair.Random()
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	node, err := soroban.Run(ctx, soroban.Options{CloseEvery: ledgerInterval, Accounts: map[string]int64{writer.Address(): funds}})
	if errors.Is(err, soroban.ErrNotBuilt) && os.Getenv("VERBATIM_DEMAND_SOROBAN") == "" {
		fmt.Fprintln(d.out, "\nLEFT OUT: the public anchor, steps 5 and 6: it needs a Stellar node for tests, which is built where Rust 1.89 or newer is.")
		return nil, nil //nolint:nilnil // the demo goes on without
	}
	if errors.Is(err, soroban.ErrNotBuilt) {
		err = fmt.Errorf("%w: %w", errDemanded, err)
	}
	if err != nil {
		return nil, err
	}
	d.node = node
	l := &publicLedger{node: node, writer: writer.Address(), keyFile: filepath.Join(d.dir, "writer.key")}
	if err := os.WriteFile(l.keyFile, []byte(writer.Seed()), 0o600); err != nil {
		return nil, fmt.Errorf("write the writer's key: %w", err)
	}
	text, err := d.output(ctx, append([]string{"anchor", "deploy", "--network", soroban.Passphrase}, l.sending()...)...)
	if err != nil {
		return nil, err
	}
	if l.contract = lastWord(text); l.contract == "" {
		return nil, fmt.Errorf("read what verbatim anchor deploy printed: no contract in %q", text)
	}
	return l, nil
}

// sending are the flags of commands that send a transaction.
func (l *publicLedger) sending() []string {
	return []string{"--rpc", l.node.URL(), "--key-file", l.keyFile, "--max-fee", strconv.Itoa(maxFee)}
}

// initFlags make a log that names the contract.
func (l *publicLedger) initFlags() []string {
	if l == nil {
		return nil
	}
	return []string{"--network", soroban.Passphrase, "--contract", l.contract, "--writer", l.writer}
}

// serveFlags make serve publish roots.
func (l *publicLedger) serveFlags() []string {
	if l == nil {
		return nil
	}
	return []string{
		"--anchor.rpc", l.node.URL(), "--anchor.key-file", l.keyFile, "--anchor.max-fee", strconv.Itoa(maxFee), "--anchor.min-interval", "1s",
	}
}

// anchored publishes the last root and wants the ledger to agree with all of them.
func (d *demo) anchored(ctx context.Context) error {
	if err := d.command(ctx, nil, append([]string{"anchor", "now", "--log", d.logDir()}, d.ledger.sending()...)...); err != nil {
		return err
	}
	var s anchorReport
	if err := d.command(ctx, &s, "anchor", "status", "--log", d.logDir(), "--json"); err != nil {
		return err
	}
	fmt.Fprintf(d.out, "  checkpoints: %d, of which %d confirmed on contract %s, %d covered by a later one; fees %d stroops\n",
		s.Checkpoints, s.Confirmed, s.Contract, s.Covered, s.Fees)
	report, err := d.verifyAnchors(ctx, d.logDir())
	if err != nil {
		return err
	}
	if !report.OK || report.Public.NotYet != 0 || report.Public.Through == nil {
		return fmt.Errorf("%w: the ledger does not agree with the recorded log: %v", errCheck, report.Public.Findings)
	}
	fmt.Fprintf(d.out, "  verbatim verify --anchors: ANCHORED, offsets 0 to %d, in ledger %d\n", *report.Public.Through, report.Public.Ledger)
	return nil
}

// rewritten changes one answer in a copy, computes every hash again, and wants the
// ledger to tell.
func (d *demo) rewritten(ctx context.Context) error {
	dir := filepath.Join(d.dir, "rewritten")
	if err := forge.Copy(d.logDir(), dir); err != nil {
		return err
	}
	entry, err := middleResponse(ctx, dir)
	if err != nil {
		return err
	}
	err = forge.Rewrite(dir, func(offset uint64, ev *logv1.Event) error {
		if out := ev.GetResponse().GetOutput(); offset == entry.Offset {
			out[len(out)-3] ^= 1
		}
		return nil
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(d.out, "  changed the answer at offset %d in the copy, and computed every later hash and footer again\n", entry.Offset)
	var alone verifyReport
	if err := d.command(ctx, &alone, "verify", "--log", dir, "--json"); err != nil {
		return err
	}
	if !alone.OK {
		return fmt.Errorf("%w: the rewritten log does not agree with itself: %v", errCheck, alone.Findings)
	}
	fmt.Fprintln(d.out, "  verbatim verify: finds nothing, the rewritten log agrees with itself")
	report, err := d.verifyAnchors(ctx, dir)
	if err != nil {
		return err
	}
	if report.OK || len(report.Public.Findings) == 0 {
		return fmt.Errorf("%w: the ledger agrees with the rewritten log", errCheck)
	}
	fmt.Fprintf(d.out, "  verbatim verify --anchors: %s\n", report.Public.Findings[0])
	return nil
}

func (d *demo) verifyAnchors(ctx context.Context, dir string) (verifyReport, error) {
	var report verifyReport
	err := d.command(ctx, &report, "verify", "--log", dir, "--anchors", "--rpc", d.ledger.node.URL(), "--contract", d.ledger.contract, "--json")
	return report, err
}

// anchorReport is what verbatim anchor status --json prints, as far as it is used.
type anchorReport struct {
	Contract    string `json:"contract"`
	Checkpoints uint64 `json:"checkpoints"`
	Confirmed   uint64 `json:"confirmed"`
	Covered     uint64 `json:"covered"`
	Fees        int64  `json:"fees_stroops"`
}
