package contracts_test

import (
	"crypto/sha256"
	"testing"

	"github.com/stellar/go-stellar-sdk/keypair"
	"github.com/stellar/go-stellar-sdk/network"
	"github.com/stellar/go-stellar-sdk/xdr"

	"verbatim/contracts"
	"verbatim/tests/soroban"
)

// call is an invocation of the contract, with whatever arguments.
type call struct {
	function  string
	arguments []xdr.ScVal
}

func open(logID, writer xdr.ScVal) call {
	return call{contracts.FunctionOpen, []xdr.ScVal{logID, writer}}
}

func commit(logID xdr.ScVal, checkpointID uint64, rootHash xdr.ScVal, timestamp uint64) call {
	return call{contracts.FunctionCommit, []xdr.ScVal{logID, number(checkpointID), rootHash, number(timestamp)}}
}

func latest(logID xdr.ScVal) call { return call{contracts.FunctionLatest, []xdr.ScVal{logID}} }

func get(logID xdr.ScVal, checkpointID uint64) call {
	return call{contracts.FunctionGet, []xdr.ScVal{logID, number(checkpointID)}}
}

func propose(logID, writer xdr.ScVal) call {
	return call{contracts.FunctionPropose, []xdr.ScVal{logID, writer}}
}

func accept(logID xdr.ScVal) call { return call{contracts.FunctionAccept, []xdr.ScVal{logID}} }

// invocation is the call on the ledger's contract.
func (l *ledger) invocation(c call) xdr.InvokeContractArgs {
	return xdr.InvokeContractArgs{ContractAddress: l.contract, FunctionName: xdr.ScSymbol(c.function), Args: c.arguments}
}

// bySource is the authorization of a call by the account that sends it, which needs no signature of its own.
func (l *ledger) bySource(c call) xdr.SorobanAuthorizationEntry {
	return l.authorization(c, xdr.SorobanCredentials{Type: xdr.SorobanCredentialsTypeSorobanCredentialsSourceAccount})
}

// byAddress is the authorization of a call by an account that does not send it, signed with a key, which may be another's.
func (l *ledger) byAddress(t testing.TB, c call, who, signer *keypair.Full) xdr.SorobanAuthorizationEntry {
	t.Helper()
	l.nonce++
	credentials := &xdr.SorobanAddressCredentials{
		Address:                   accountAddress(t, who),
		Nonce:                     xdr.Int64(l.nonce),
		SignatureExpirationLedger: xdr.Uint32(l.now(t).ledger + 100),
	}
	a := l.authorization(c, xdr.SorobanCredentials{
		Type: xdr.SorobanCredentialsTypeSorobanCredentialsAddress, Address: credentials,
	})
	preimage, err := xdr.HashIdPreimage{
		Type: xdr.EnvelopeTypeEnvelopeTypeSorobanAuthorization,
		SorobanAuthorization: &xdr.HashIdPreimageSorobanAuthorization{
			NetworkId:                 network.ID(soroban.Passphrase),
			Nonce:                     credentials.Nonce,
			SignatureExpirationLedger: credentials.SignatureExpirationLedger,
			Invocation:                a.RootInvocation,
		},
	}.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	hash := sha256.Sum256(preimage)
	signature, err := signer.Sign(hash[:])
	if err != nil {
		t.Fatal(err)
	}
	public := accountAddress(t, signer).AccountId.Ed25519
	credentials.Signature = vector(mapping(entry{"public_key", octets(public[:])}, entry{"signature", octets(signature)}))
	return a
}

func (l *ledger) authorization(c call, by xdr.SorobanCredentials) xdr.SorobanAuthorizationEntry {
	invocation := l.invocation(c)
	return xdr.SorobanAuthorizationEntry{
		Credentials: by,
		RootInvocation: xdr.SorobanAuthorizedInvocation{Function: xdr.SorobanAuthorizedFunction{
			Type:       xdr.SorobanAuthorizedFunctionTypeSorobanAuthorizedFunctionTypeContractFn,
			ContractFn: &invocation,
		}},
	}
}

// Keys of what the contract has on the ledger.

func (l *ledger) dataKey(key xdr.ScVal) xdr.LedgerKey {
	return xdr.LedgerKey{Type: xdr.LedgerEntryTypeContractData, ContractData: &xdr.LedgerKeyContractData{
		Contract: l.contract, Key: key, Durability: xdr.ContractDataDurabilityPersistent,
	}}
}

func (l *ledger) logKey(logID xdr.ScVal) xdr.LedgerKey {
	return l.dataKey(vector(symbol(contracts.KeyLog), logID))
}

func (l *ledger) rootKey(logID xdr.ScVal, checkpointID uint64) xdr.LedgerKey {
	return l.dataKey(vector(symbol(contracts.KeyRoot), logID, number(checkpointID)))
}

func (l *ledger) instanceKey() xdr.LedgerKey {
	return l.dataKey(xdr.ScVal{Type: xdr.ScValTypeScvLedgerKeyContractInstance})
}

func codeKey() xdr.LedgerKey {
	return xdr.LedgerKey{Type: xdr.LedgerEntryTypeContractCode, ContractCode: &xdr.LedgerKeyContractCode{Hash: contracts.Hash}}
}
