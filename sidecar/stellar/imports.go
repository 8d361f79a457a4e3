package stellar

import (
	_ "github.com/stellar/go-stellar-sdk/clients/rpcclient"
	_ "github.com/stellar/go-stellar-sdk/keypair"
	_ "github.com/stellar/go-stellar-sdk/network"
	_ "github.com/stellar/go-stellar-sdk/protocols/rpc"
	_ "github.com/stellar/go-stellar-sdk/strkey"
	_ "github.com/stellar/go-stellar-sdk/txnbuild"
	_ "github.com/stellar/go-stellar-sdk/xdr"
)
