package main

import (
	"context"
	"os"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stellar/go-stellar-sdk/keypair"

	"verbatim/tests/soroban"
)

// ledger is "ledger": it starts a Stellar node, RPC, whose network is NETWORK, with
// an account, WRITER, whose seed is in the file writer.key.
func ledger(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 {
		ts.Fatalf("usage: ledger")
	}
	writer, err := keypair.Random()
	ts.Check(err)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	node, err := soroban.Run(ctx, soroban.Options{
		CloseEvery: 100 * time.Millisecond, Accounts: map[string]int64{writer.Address(): 1_000 * 10_000_000},
	})
	ts.Check(err)
	ts.Defer(node.Stop)
	ts.Check(os.WriteFile(ts.MkAbs("writer.key"), []byte(writer.Seed()+"\n"), 0o600))
	ts.Setenv("RPC", node.URL())
	ts.Setenv("NETWORK", soroban.Passphrase)
	ts.Setenv("WRITER", writer.Address())
}

// lastWord is "lastword NAME": it puts the last word that was printed into NAME.
func lastWord(ts *testscript.TestScript, _ bool, args []string) {
	words := strings.Fields(ts.ReadFile("stdout"))
	ts.Setenv(args[0], words[len(words)-1])
}
