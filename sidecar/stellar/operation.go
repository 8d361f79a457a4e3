package stellar

import (
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/stellar/go-stellar-sdk/network"
	"github.com/stellar/go-stellar-sdk/strkey"
	"github.com/stellar/go-stellar-sdk/xdr"

	"verbatim/contracts"
)

// Operation is what a transaction is to do. Make one with a Contract's methods,
// Upload, Client.Create or Restore.
type Operation struct {
	name string
	// function is nil for a restore, whose keys are then set.
	function *xdr.HostFunction
	restore  []xdr.LedgerKey
	// authorized is what an account has to authorize for it, nil if nothing.
	authorized *xdr.SorobanAuthorizedFunction
}

// String is the operation's name, such as commit.
func (o Operation) String() string { return o.name }

// Open registers a log with its writer, G…, who authorizes it.
func (k *Contract) Open(logID [32]byte, writer string) (Operation, error) {
	address, err := accountAddress(writer)
	if err != nil {
		return Operation{}, fmt.Errorf("writer: %w", err)
	}
	return k.invoke(contracts.FunctionOpen, bytesValue(logID[:]), addressValue(address)), nil
}

// Commit publishes a checkpoint's root; the log's writer authorizes it.
func (k *Contract) Commit(logID [32]byte, checkpointID uint64, root [32]byte, timestampMS uint64) Operation {
	return k.invoke(contracts.FunctionCommit, bytesValue(logID[:]), u64Value(checkpointID), bytesValue(root[:]), u64Value(timestampMS))
}

// Propose names the account, G…, that may become the log's writer; the writer
// authorizes it.
func (k *Contract) Propose(logID [32]byte, writer string) (Operation, error) {
	address, err := accountAddress(writer)
	if err != nil {
		return Operation{}, fmt.Errorf("proposed writer: %w", err)
	}
	return k.invoke(contracts.FunctionPropose, bytesValue(logID[:]), addressValue(address)), nil
}

// Accept makes the proposed account the log's writer; that account authorizes it.
func (k *Contract) Accept(logID [32]byte) Operation {
	return k.invoke(contracts.FunctionAccept, bytesValue(logID[:]))
}

func (k *Contract) invoke(name string, args ...xdr.ScVal) Operation {
	call := xdr.InvokeContractArgs{ContractAddress: k.address, FunctionName: xdr.ScSymbol(name), Args: args}
	return Operation{
		name:     name,
		function: &xdr.HostFunction{Type: xdr.HostFunctionTypeHostFunctionTypeInvokeContract, InvokeContract: &call},
		authorized: &xdr.SorobanAuthorizedFunction{
			Type: xdr.SorobanAuthorizedFunctionTypeSorobanAuthorizedFunctionTypeContractFn, ContractFn: &call,
		},
	}
}

// Upload puts a contract's code on the ledger. Anyone may, and again.
func Upload(wasm []byte) Operation {
	return Operation{name: "upload", function: &xdr.HostFunction{
		Type: xdr.HostFunctionTypeHostFunctionTypeUploadContractWasm, Wasm: &wasm,
	}}
}

// Create makes a contract of uploaded code, as deployer, who authorizes it; salt
// tells several of one deployer apart. It returns the contract's id, too.
func (c *Client) Create(wasmHash [32]byte, deployer string, salt [32]byte) (Operation, string, error) {
	address, err := accountAddress(deployer)
	if err != nil {
		return Operation{}, "", fmt.Errorf("deployer: %w", err)
	}
	hash := xdr.Hash(wasmHash)
	from := xdr.ContractIdPreimage{
		Type:        xdr.ContractIdPreimageTypeContractIdPreimageFromAddress,
		FromAddress: &xdr.ContractIdPreimageFromAddress{Address: address, Salt: salt},
	}
	create := xdr.CreateContractArgsV2{
		ContractIdPreimage: from,
		Executable:         xdr.ContractExecutable{Type: xdr.ContractExecutableTypeContractExecutableWasm, WasmHash: &hash},
	}
	preimage, err := xdr.HashIdPreimage{Type: xdr.EnvelopeTypeEnvelopeTypeContractId, ContractId: &xdr.HashIdPreimageContractId{
		NetworkId: network.ID(c.passphrase), ContractIdPreimage: from,
	}}.MarshalBinary()
	if err != nil {
		return Operation{}, "", fmt.Errorf("encode contract id: %w", err)
	}
	raw := sha256.Sum256(preimage)
	id, err := strkey.Encode(strkey.VersionByteContract, raw[:])
	if err != nil {
		return Operation{}, "", fmt.Errorf("encode contract id: %w", err)
	}
	return Operation{
		name:     "create",
		function: &xdr.HostFunction{Type: xdr.HostFunctionTypeHostFunctionTypeCreateContractV2, CreateContractV2: &create},
		authorized: &xdr.SorobanAuthorizedFunction{
			Type:                   xdr.SorobanAuthorizedFunctionTypeSorobanAuthorizedFunctionTypeCreateContractV2HostFn,
			CreateContractV2HostFn: &create,
		},
	}, id, nil
}

// RestoreAtOnce is how many entries one transaction restores.
const RestoreAtOnce = 20

// Restore brings expired entries back, at most RestoreAtOnce. Anyone may.
func Restore(entries ...Entry) (Operation, error) {
	if len(entries) == 0 || len(entries) > RestoreAtOnce {
		return Operation{}, errors.New("restore needs at least one entry and at most " + fmt.Sprint(RestoreAtOnce))
	}
	op := Operation{name: "restore"}
	for _, e := range entries {
		op.restore = append(op.restore, e.key)
	}
	return op, nil
}
