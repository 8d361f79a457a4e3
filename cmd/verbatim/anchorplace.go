package main

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/spf13/pflag"
	"github.com/stellar/go-stellar-sdk/network"
	"github.com/stellar/go-stellar-sdk/strkey"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/stellar"
)

// anchorPlace is where a log's roots are published.
type anchorPlace struct{ network, contract, writer string }

const networkUsage = "`NAME` of the Stellar network: public, testnet, or its passphrase"

func (a *anchorPlace) bind(fs *pflag.FlagSet) {
	fs.StringVar(&a.network, "network", "", networkUsage)
	fs.StringVar(&a.contract, "contract", "", "`C...`, the contract on which roots are published")
	fs.StringVar(&a.writer, "writer", "", "`G...`, the account that publishes them")
}

// message is nil when nothing was given.
func (a *anchorPlace) message() (*logv1.Anchor, error) {
	if *a == (anchorPlace{}) {
		return nil, nil //nolint:nilnil // a log need not be anchored
	}
	if a.network == "" || a.contract == "" || a.writer == "" {
		return nil, errors.New("--network, --contract and --writer belong together: give all three, or none")
	}
	if _, err := strkey.Decode(strkey.VersionByteContract, a.contract); err != nil {
		return nil, fmt.Errorf("--contract %s is no contract's address: C and 55 letters and digits", notSeed(a.contract))
	}
	if !strkey.IsValidEd25519PublicKey(a.writer) {
		return nil, fmt.Errorf("--writer %s is no account's address: G and 55 letters and digits", notSeed(a.writer))
	}
	return &logv1.Anchor{Network: passphrase(a.network), Contract: a.contract, Writer: a.writer}, nil
}

// notSeed quotes what should be an address, but not if it can be a seed instead.
func notSeed(text string) string {
	if stellar.MayBeSeed(text) {
		return "begins with S, as seeds do, is not shown and"
	}
	return strconv.Quote(text)
}

// passphrase is what a network calls itself.
func passphrase(name string) string {
	switch name {
	case "public":
		return network.PublicNetworkPassphrase
	case "testnet":
		return network.TestNetworkPassphrase
	}
	return name
}
