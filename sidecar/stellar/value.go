package stellar

import (
	"fmt"

	"github.com/stellar/go-stellar-sdk/strkey"
	"github.com/stellar/go-stellar-sdk/xdr"
)

// Values of the contract, as soroban-sdk encodes them.

func symbolValue(s string) xdr.ScVal {
	sym := xdr.ScSymbol(s)
	return xdr.ScVal{Type: xdr.ScValTypeScvSymbol, Sym: &sym}
}

func bytesValue(b []byte) xdr.ScVal {
	v := xdr.ScBytes(b)
	return xdr.ScVal{Type: xdr.ScValTypeScvBytes, Bytes: &v}
}

func u64Value(n uint64) xdr.ScVal {
	v := xdr.Uint64(n)
	return xdr.ScVal{Type: xdr.ScValTypeScvU64, U64: &v}
}

func addressValue(a xdr.ScAddress) xdr.ScVal {
	return xdr.ScVal{Type: xdr.ScValTypeScvAddress, Address: &a}
}

func vecValue(items ...xdr.ScVal) xdr.ScVal {
	v := xdr.ScVec(items)
	p := &v
	return xdr.ScVal{Type: xdr.ScValTypeScvVec, Vec: &p}
}

func mapValue(entries ...xdr.ScMapEntry) xdr.ScVal {
	v := xdr.ScMap(entries)
	p := &v
	return xdr.ScVal{Type: xdr.ScValTypeScvMap, Map: &p}
}

// fields are the values of a struct with just these fields, in their order, which is
// the alphabetical.
func fields(v xdr.ScVal, names ...string) ([]xdr.ScVal, error) {
	m, ok := v.GetMap()
	if !ok || m == nil || len(*m) != len(names) {
		return nil, fmt.Errorf("it is not a struct with %d fields", len(names))
	}
	values := make([]xdr.ScVal, len(names))
	for i, e := range *m {
		if sym, ok := e.Key.GetSym(); !ok || string(sym) != names[i] {
			return nil, fmt.Errorf("it has no field %s where that belongs", names[i])
		}
		values[i] = e.Val
	}
	return values, nil
}

func valueU64(v xdr.ScVal) (uint64, error) {
	n, ok := v.GetU64()
	if !ok {
		return 0, fmt.Errorf("it is a %s, not a u64", v.Type)
	}
	return uint64(n), nil
}

func valueU32(v xdr.ScVal) (uint32, error) {
	n, ok := v.GetU32()
	if !ok {
		return 0, fmt.Errorf("it is a %s, not a u32", v.Type)
	}
	return uint32(n), nil
}

func valueHash(v xdr.ScVal) ([32]byte, error) {
	b, ok := v.GetBytes()
	if !ok || len(b) != 32 {
		return [32]byte{}, fmt.Errorf("it is a %s, not 32 bytes", v.Type)
	}
	return [32]byte(b), nil
}

// valueAddress is G… or C…; other kinds of address can't be a writer.
func valueAddress(v xdr.ScVal) (string, error) {
	a, ok := v.GetAddress()
	if !ok {
		return "", fmt.Errorf("it is a %s, not an address", v.Type)
	}
	return addressText(a)
}

func addressText(a xdr.ScAddress) (string, error) {
	switch a.Type {
	case xdr.ScAddressTypeScAddressTypeAccount, xdr.ScAddressTypeScAddressTypeContract:
		return a.String()
	}
	return "", fmt.Errorf("it is the address of a %s, not of an account or contract", a.Type)
}

// accountAddress reads G….
func accountAddress(text string) (xdr.ScAddress, error) {
	id, err := accountID(text)
	if err != nil {
		return xdr.ScAddress{}, err
	}
	return xdr.ScAddress{Type: xdr.ScAddressTypeScAddressTypeAccount, AccountId: &id}, nil
}

// notSeed quotes what should be an address, but not if it can be a seed instead.
func notSeed(text string) string {
	if MayBeSeed(text) {
		return "what begins with S, as seeds do, and is not shown,"
	}
	return fmt.Sprintf("%.60q", text)
}

func accountID(text string) (xdr.AccountId, error) {
	raw, err := strkey.Decode(strkey.VersionByteAccountID, text)
	if err != nil {
		return xdr.AccountId{}, fmt.Errorf("%s is not an account's address, G… with 56 characters", notSeed(text))
	}
	key := xdr.Uint256(raw)
	return xdr.AccountId{Type: xdr.PublicKeyTypePublicKeyTypeEd25519, Ed25519: &key}, nil
}

// contractAddress reads C….
func contractAddress(text string) (xdr.ScAddress, error) {
	raw, err := strkey.Decode(strkey.VersionByteContract, text)
	if err != nil {
		return xdr.ScAddress{}, fmt.Errorf("%s is not a contract's id, C… with 56 characters", notSeed(text))
	}
	id := xdr.ContractId(raw)
	return xdr.ScAddress{Type: xdr.ScAddressTypeScAddressTypeContract, ContractId: &id}, nil
}
