package contracts_test

import (
	"bytes"
	"testing"

	"github.com/stellar/go-stellar-sdk/keypair"
	"github.com/stellar/go-stellar-sdk/xdr"
)

// Values as the contract takes, stores and publishes them.

var void = xdr.ScVal{Type: xdr.ScValTypeScvVoid}

func number(n uint64) xdr.ScVal {
	v := xdr.Uint64(n)
	return xdr.ScVal{Type: xdr.ScValTypeScvU64, U64: &v}
}

func number32(n uint32) xdr.ScVal {
	v := xdr.Uint32(n)
	return xdr.ScVal{Type: xdr.ScValTypeScvU32, U32: &v}
}

func octets(b []byte) xdr.ScVal {
	v := xdr.ScBytes(b)
	return xdr.ScVal{Type: xdr.ScValTypeScvBytes, Bytes: &v}
}

// fill is 32 times the same byte: a log's id, or a root hash.
func fill(b byte) xdr.ScVal { return octets(bytes.Repeat([]byte{b}, 32)) }

func symbol(s string) xdr.ScVal {
	v := xdr.ScSymbol(s)
	return xdr.ScVal{Type: xdr.ScValTypeScvSymbol, Sym: &v}
}

func text(s string) xdr.ScVal {
	v := xdr.ScString(s)
	return xdr.ScVal{Type: xdr.ScValTypeScvString, Str: &v}
}

func vector(values ...xdr.ScVal) xdr.ScVal {
	v := xdr.ScVec(values)
	p := &v
	return xdr.ScVal{Type: xdr.ScValTypeScvVec, Vec: &p}
}

// entry is a name and its value in a map.
type entry struct {
	name  string
	value xdr.ScVal
}

func mapping(entries ...entry) xdr.ScVal {
	var m xdr.ScMap
	for _, e := range entries {
		m = append(m, xdr.ScMapEntry{Key: symbol(e.name), Val: e.value})
	}
	p := &m
	return xdr.ScVal{Type: xdr.ScValTypeScvMap, Map: &p}
}

func addressOf(a xdr.ScAddress) xdr.ScVal {
	return xdr.ScVal{Type: xdr.ScValTypeScvAddress, Address: &a}
}

func accountAddress(t testing.TB, key *keypair.Full) xdr.ScAddress {
	t.Helper()
	id, err := xdr.AddressToAccountId(key.Address())
	if err != nil {
		t.Fatal(err)
	}
	return xdr.ScAddress{Type: xdr.ScAddressTypeScAddressTypeAccount, AccountId: &id}
}

// root is the contract's Root.
func root(checkpointID uint64, at moment, rootHash xdr.ScVal, timestamp uint64) xdr.ScVal {
	return mapping(
		entry{"checkpoint_id", number(checkpointID)},
		entry{"closed_at", number(at.closedAt)},
		entry{"ledger", number32(at.ledger)},
		entry{"root_hash", rootHash},
		entry{"timestamp", number(timestamp)},
	)
}

// log is the contract's Log.
func log(latest, proposed, writer xdr.ScVal) xdr.ScVal {
	return mapping(entry{"latest", latest}, entry{"proposed", proposed}, entry{"writer", writer})
}
