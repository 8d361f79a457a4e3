package contracts_test

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/stellar/go-stellar-sdk/keypair"
	"github.com/stellar/go-stellar-sdk/xdr"

	"verbatim/contracts"
)

// wrong is a value that an argument must not have.
type wrong struct {
	name  string
	value xdr.ScVal
}

// Every argument of every function, given each kind of value that it is not: the contract itself says what is wrong, before
// it asks for an authorization or looks into its storage. The log is not open and nobody authorizes the calls.
func TestArguments(t *testing.T) {
	l := newLedger(t)
	source := l.account(t)
	writer := addressOf(accountAddress(t, source))
	logID := fill(1)

	hashes := wrongHashes(writer)
	numbers := wrongNumbers(writer)
	addresses := wrongAddresses(t, source)
	for _, c := range []struct {
		call  call
		error []contracts.Error // of each argument
		wrong [][]wrong
	}{
		{open(logID, writer), []contracts.Error{contracts.BadLogID, contracts.BadWriter}, [][]wrong{hashes, addresses}},
		{
			commit(logID, 7, fill(9), 8),
			[]contracts.Error{contracts.BadLogID, contracts.BadCheckpointID, contracts.BadRootHash, contracts.BadTimestamp},
			[][]wrong{hashes, numbers, hashes, numbers},
		},
		{latest(logID), []contracts.Error{contracts.BadLogID}, [][]wrong{hashes}},
		{get(logID, 7), []contracts.Error{contracts.BadLogID, contracts.BadCheckpointID}, [][]wrong{hashes, numbers}},
		{propose(logID, writer), []contracts.Error{contracts.BadLogID, contracts.BadWriter}, [][]wrong{hashes, addresses}},
		{accept(logID), []contracts.Error{contracts.BadLogID}, [][]wrong{hashes}},
	} {
		if len(c.error) != len(c.call.arguments) {
			t.Fatalf("%s: the table has %d arguments, the call %d", c.call.function, len(c.error), len(c.call.arguments))
		}
		for i, values := range c.wrong {
			for _, w := range values {
				t.Run(fmt.Sprintf("%s/%d/%s", c.call.function, i, w.name), func(t *testing.T) {
					bad := call{c.call.function, slices.Clone(c.call.arguments)}
					bad.arguments[i] = w.value
					l.refused(t, source, contractError(c.error[i]), bad)
				})
			}
		}
	}
}

// A call with too few arguments or too many never gets into the contract: the host refuses it.
func TestNumberOfArguments(t *testing.T) {
	l := newLedger(t)
	source := l.account(t)
	l.refused(t, source, "Error(WasmVm, UnexpectedSize)", call{contracts.FunctionGet, []xdr.ScVal{fill(1)}})
	l.refused(t, source, "Error(WasmVm, UnexpectedSize)", call{contracts.FunctionLatest, []xdr.ScVal{fill(1), number(1)}})
}

// wrongForAll are values of kinds that no argument has.
func wrongForAll() []wrong {
	yes, no := true, false
	i32, i64 := xdr.Int32(-1), xdr.Int64(math.MinInt64)
	small, t1, t2 := xdr.Int64(7), xdr.TimePoint(7), xdr.TimePoint(math.MaxUint64)
	d1, d2 := xdr.Duration(7), xdr.Duration(math.MaxUint64)
	u128, i128 := xdr.UInt128Parts{Lo: 7}, xdr.Int128Parts{Hi: -1, Lo: 7}
	u256, i256 := xdr.UInt256Parts{LoLo: 7}, xdr.Int256Parts{HiHi: -1}
	code := xdr.Uint32(3)
	return []wrong{
		{"void", void},
		{"true", xdr.ScVal{Type: xdr.ScValTypeScvBool, B: &yes}},
		{"false", xdr.ScVal{Type: xdr.ScValTypeScvBool, B: &no}},
		{"error", xdr.ScVal{Type: xdr.ScValTypeScvError, Error: &xdr.ScError{
			Type: xdr.ScErrorTypeSceContract, ContractCode: &code,
		}}},
		{"u32", number32(7)},
		{"i32", xdr.ScVal{Type: xdr.ScValTypeScvI32, I32: &i32}},
		{"i64 small", xdr.ScVal{Type: xdr.ScValTypeScvI64, I64: &small}},
		{"i64 object", xdr.ScVal{Type: xdr.ScValTypeScvI64, I64: &i64}},
		{"timepoint small", xdr.ScVal{Type: xdr.ScValTypeScvTimepoint, Timepoint: &t1}},
		{"timepoint object", xdr.ScVal{Type: xdr.ScValTypeScvTimepoint, Timepoint: &t2}},
		{"duration small", xdr.ScVal{Type: xdr.ScValTypeScvDuration, Duration: &d1}},
		{"duration object", xdr.ScVal{Type: xdr.ScValTypeScvDuration, Duration: &d2}},
		{"u128", xdr.ScVal{Type: xdr.ScValTypeScvU128, U128: &u128}},
		{"i128", xdr.ScVal{Type: xdr.ScValTypeScvI128, I128: &i128}},
		{"u256", xdr.ScVal{Type: xdr.ScValTypeScvU256, U256: &u256}},
		{"i256", xdr.ScVal{Type: xdr.ScValTypeScvI256, I256: &i256}},
		{"symbol small", symbol("writer")},
		{"symbol object", symbol("a_symbol_of_32_characters_xxxxxx")},
		{"string of 32", text("a string of 32 octets, not bytes")},
		{"vector", vector(fill(1))},
		{"vector of 32", vector(slices.Repeat([]xdr.ScVal{number(7)}, 32)...)},
		{"map", mapping(entry{"log_id", fill(1)})},
	}
}

// wrongHashes are wrong for 32 bytes.
func wrongHashes(address xdr.ScVal) []wrong {
	of := func(n int) xdr.ScVal { return octets(bytes.Repeat([]byte{1}, n)) }
	return append(wrongForAll(),
		wrong{"u64 small", number(32)},
		wrong{"u64 object", number(math.MaxUint64)},
		wrong{"address", address},
		wrong{"no bytes", of(0)},
		wrong{"31 bytes", of(31)},
		wrong{"33 bytes", of(33)},
		wrong{"64 bytes", of(64)},
		wrong{"288 bytes", of(256 + 32)},
	)
}

// wrongNumbers are wrong for a u64.
func wrongNumbers(address xdr.ScVal) []wrong {
	return append(wrongForAll(),
		wrong{"8 bytes", octets([]byte{0, 0, 0, 0, 0, 0, 0, 7})},
		wrong{"32 bytes", fill(7)},
		wrong{"address", address},
	)
}

// wrongAddresses are wrong for the address of an account or a contract.
func wrongAddresses(t *testing.T, account *keypair.Full) []wrong {
	t.Helper()
	public := accountAddress(t, account).AccountId.Ed25519
	return append(wrongForAll(),
		wrong{"u64 small", number(7)},
		wrong{"u64 object", number(math.MaxUint64)},
		wrong{"public key", octets(public[:])},
		wrong{"text of an address", text(account.Address())},
		wrong{"multiplexed account", addressOf(xdr.ScAddress{
			Type:         xdr.ScAddressTypeScAddressTypeMuxedAccount,
			MuxedAccount: &xdr.MuxedEd25519Account{Id: 7, Ed25519: *public},
		})},
	)
}
