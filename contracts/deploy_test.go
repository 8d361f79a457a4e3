package contracts_test

import (
	"crypto/sha256"
	"testing"

	"github.com/stellar/go-stellar-sdk/keypair"
	"github.com/stellar/go-stellar-sdk/network"
	protocol "github.com/stellar/go-stellar-sdk/protocols/rpc"
	"github.com/stellar/go-stellar-sdk/txnbuild"
	"github.com/stellar/go-stellar-sdk/xdr"

	"verbatim/contracts"
	"verbatim/tests/soroban"
)

// deploy uploads the contract's code and makes a contract of it.
func (l *ledger) deploy(t testing.TB) {
	t.Helper()
	deployer := l.account(t)
	wasm := contracts.Wasm
	l.host(t, deployer, xdr.HostFunction{
		Type: xdr.HostFunctionTypeHostFunctionTypeUploadContractWasm, Wasm: &wasm,
	})

	hash := xdr.Hash(contracts.Hash)
	create := xdr.CreateContractArgs{
		ContractIdPreimage: xdr.ContractIdPreimage{
			Type:        xdr.ContractIdPreimageTypeContractIdPreimageFromAddress,
			FromAddress: &xdr.ContractIdPreimageFromAddress{Address: accountAddress(t, deployer)},
		},
		Executable: xdr.ContractExecutable{Type: xdr.ContractExecutableTypeContractExecutableWasm, WasmHash: &hash},
	}
	l.host(t, deployer,
		xdr.HostFunction{Type: xdr.HostFunctionTypeHostFunctionTypeCreateContract, CreateContract: &create},
		xdr.SorobanAuthorizationEntry{
			Credentials: xdr.SorobanCredentials{Type: xdr.SorobanCredentialsTypeSorobanCredentialsSourceAccount},
			RootInvocation: xdr.SorobanAuthorizedInvocation{Function: xdr.SorobanAuthorizedFunction{
				Type:                 xdr.SorobanAuthorizedFunctionTypeSorobanAuthorizedFunctionTypeCreateContractHostFn,
				CreateContractHostFn: &create,
			}},
		})
	l.contract = l.addressAfter(t, create.ContractIdPreimage)
}

// addressAfter is the address of a contract that was made in this way.
func (l *ledger) addressAfter(t testing.TB, made xdr.ContractIdPreimage) xdr.ScAddress {
	t.Helper()
	preimage, err := xdr.HashIdPreimage{
		Type: xdr.EnvelopeTypeEnvelopeTypeContractId,
		ContractId: &xdr.HashIdPreimageContractId{
			NetworkId: network.ID(soroban.Passphrase), ContractIdPreimage: made,
		},
	}.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	id := xdr.ContractId(sha256.Sum256(preimage))
	return xdr.ScAddress{Type: xdr.ScAddressTypeScAddressTypeContract, ContractId: &id}
}

// host carries out a host function. It must succeed.
func (l *ledger) host(t testing.TB, source *keypair.Full, f xdr.HostFunction, auth ...xdr.SorobanAuthorizationEntry) {
	t.Helper()
	op := txnbuild.InvokeHostFunction{HostFunction: f, Auth: auth}
	s := l.simulate(t, source, op, protocol.AuthModeEnforce)
	if s.err != "" {
		t.Fatalf("%s: %s", f.Type, s.err)
	}
	if a := l.send(t, source, op, s.data); !a.success {
		t.Fatalf("%s: %s", f.Type, a.operation)
	}
}
