package stellar_test

import (
	"math"
	"slices"
	"testing"

	"github.com/stellar/go-stellar-sdk/xdr"

	"verbatim/sidecar/stellar"
)

// entry is the recorded entry of a kind: account, instance, Log or Root.
func (s *session) entry(t *testing.T, kind string) answer {
	t.Helper()
	for key, e := range s.Entries {
		var k xdr.LedgerKey
		if err := xdr.SafeUnmarshalBase64(key, &k); err != nil {
			t.Fatal(err)
		}
		if kindOf(k) == kind {
			return e
		}
	}
	t.Fatalf("no %s was recorded", kind)
	return nil
}

func kindOf(k xdr.LedgerKey) string {
	data, ok := k.GetContractData()
	if !ok {
		return "account"
	}
	if vec, ok := data.Key.GetVec(); ok {
		return string((*vec)[0].MustSym())
	}
	return "instance"
}

// value changes what a contract's entry holds.
func value(change func(*xdr.ScVal)) func(answer) {
	return edit("xdr", func(d *xdr.LedgerEntryData) { change(&d.ContractData.Val) })
}

// field changes one field of a struct.
func field(name string, change func(*xdr.ScMapEntry)) func(answer) {
	return value(func(v *xdr.ScVal) { change(fieldOf(v, name)) })
}

func fieldOf(v *xdr.ScVal, name string) *xdr.ScMapEntry {
	m := **v.Map
	i := slices.IndexFunc(m, func(e xdr.ScMapEntry) bool { return string(*e.Key.Sym) == name })
	return &m[i]
}

func void(e *xdr.ScMapEntry) { e.Val = xdr.ScVal{Type: xdr.ScValTypeScvVoid} }

func u64(n uint64) func(*xdr.ScMapEntry) {
	v := xdr.Uint64(n)
	return func(e *xdr.ScMapEntry) { e.Val = xdr.ScVal{Type: xdr.ScValTypeScvU64, U64: &v} }
}

func u32(n uint32) func(*xdr.ScMapEntry) {
	v := xdr.Uint32(n)
	return func(e *xdr.ScMapEntry) { e.Val = xdr.ScVal{Type: xdr.ScValTypeScvU32, U32: &v} }
}

// TestEntryLies: one wrong thing in an otherwise good entry.
func TestEntryLies(t *testing.T) {
	swap := func(with string) func(*testing.T, *session, answer) {
		return func(t *testing.T, s *session, e answer) { e["xdr"] = s.entry(t, with)["xdr"] }
	}
	just := func(change func(answer)) func(*testing.T, *session, answer) {
		return func(_ *testing.T, _ *session, e answer) { change(e) }
	}
	type lie struct {
		ask    string
		change func(*testing.T, *session, answer)
	}
	for kind, lies := range map[string]map[string]lie{
		"account": {
			"no XDR":           {"prepare", just(put("xdr", noXDR))},
			"and more":         {"prepare", just(func(e answer) { e["xdr"] = e["xdr"].(string) + tail })},
			"another account":  {"prepare", just(edit("xdr", func(d *xdr.LedgerEntryData) { d.Account.AccountId.Ed25519[3] ^= 1 }))},
			"no account":       {"prepare", swap("Log")},
			"negative number":  {"prepare", just(edit("xdr", func(d *xdr.LedgerEntryData) { d.Account.SeqNum = -1 }))},
			"last number":      {"prepare", just(edit("xdr", func(d *xdr.LedgerEntryData) { d.Account.SeqNum = math.MaxInt64 }))},
			"under other name": {"prepare", just(put("key", noXDR))},
		},
		"instance": {
			"no XDR":            {"code", just(put("xdr", noXDR))},
			"a log":             {"code", swap("Log")},
			"no lifetime":       {"code", just(without("liveUntilLedgerSeq"))},
			"negative lifetime": {"code", just(put("liveUntilLedgerSeq", -1))},
			"a value":           {"code", just(value(func(v *xdr.ScVal) { *v = xdr.ScVal{Type: xdr.ScValTypeScvVoid} }))},
			"of an asset": {"code", just(value(func(v *xdr.ScVal) {
				v.Instance.Executable = xdr.ContractExecutable{Type: xdr.ContractExecutableTypeContractExecutableStellarAsset}
			}))},
		},
		"Log": {
			"a root":              {"log", swap("Root")},
			"no lifetime":         {"log", just(without("liveUntilLedgerSeq"))},
			"no struct":           {"log", just(value(func(v *xdr.ScVal) { *v = xdr.ScVal{Type: xdr.ScValTypeScvVoid} }))},
			"no fields":           {"log", just(value(func(v *xdr.ScVal) { *v.Map = nil }))},
			"field missing":       {"log", just(value(func(v *xdr.ScVal) { **v.Map = (**v.Map)[1:] }))},
			"field twice":         {"log", just(value(func(v *xdr.ScVal) { (**v.Map)[1] = (**v.Map)[0] }))},
			"field of other name": {"log", just(field("writer", func(e *xdr.ScMapEntry) { *e.Key.Sym = "writes" }))},
			"field with number":   {"log", just(field("writer", func(e *xdr.ScMapEntry) { e.Key = xdr.ScVal{Type: xdr.ScValTypeScvVoid} }))},
			"no writer":           {"log", just(field("writer", void))},
			"writer is a pool": {"log", just(field("writer", func(e *xdr.ScMapEntry) {
				*e.Val.Address = xdr.ScAddress{Type: xdr.ScAddressTypeScAddressTypeLiquidityPool, LiquidityPoolId: &xdr.PoolId{}}
			}))},
			"proposed a number": {"log", just(field("proposed", u64(5)))},
			"latest a number":   {"log", just(field("latest", u64(5)))},
			"latest is broken":  {"log", just(field("latest", func(e *xdr.ScMapEntry) { void(fieldOf(&e.Val, "ledger")) }))},
		},
		"Root": {
			"another root":    {"recorded root", just(edit("xdr", func(d *xdr.LedgerEntryData) { *(**d.ContractData.Key.Vec)[2].U64++ }))},
			"of another id":   {"recorded root", just(field("checkpoint_id", u64(5)))},
			"id void":         {"recorded root", just(field("checkpoint_id", void))},
			"closed at 0":     {"recorded root", just(field("closed_at", u64(0)))},
			"closed too late": {"recorded root", just(field("closed_at", u64(1<<63)))},
			"closed void":     {"recorded root", just(field("closed_at", void))},
			"ledger 0":        {"recorded root", just(field("ledger", u32(0)))},
			"ledger too high": {"recorded root", just(field("ledger", u32(1<<31)))},
			"ledger u64":      {"recorded root", just(field("ledger", u64(5)))},
			"short hash":      {"recorded root", just(field("root_hash", func(e *xdr.ScMapEntry) { *e.Val.Bytes = (*e.Val.Bytes)[:31] }))},
			"hash void":       {"recorded root", just(field("root_hash", void))},
			"timestamp u32":   {"recorded root", just(field("timestamp", u32(5)))},
		},
	} {
		for name, lie := range lies {
			t.Run(kind+"/"+name, func(t *testing.T) {
				s, c, k := play(t)
				all := questions(s, c, k)
				all["recorded root"] = func(t *testing.T) error {
					_, err := k.Roots(t.Context(), recorded.LogID, []uint64{recorded.CheckpointID})
					return err
				}
				lie.change(t, s, s.entry(t, kind))
				fails(t, all[lie.ask](t), "nonsense", nil)
			})
		}
	}
}

func TestEntryTwice(t *testing.T) {
	s, _, k := play(t)
	e := s.entry(t, "Log")
	s.Answers["getLedgerEntries"]["entries"] = []answer{e, e}
	_, err := k.Log(t.Context(), recorded.LogID)
	fails(t, err, "nonsense", nil)
}

// TestLifetime: an entry is live in the ledger that it lives until.
func TestLifetime(t *testing.T) {
	s, _, k := play(t)
	latest := s.Answers["getLedgerEntries"]["latestLedger"]
	for until, archived := range map[any]bool{latest: false, 0: true, 1: true, uint32(math.MaxUint32): false} {
		s.entry(t, "Log")["liveUntilLedgerSeq"] = until
		state, err := k.Log(t.Context(), recorded.LogID)
		if err != nil || state.Archived != archived || state.Latest.Archived != archived {
			t.Errorf("live until %v of %v: %+v: %v", until, latest, state, err)
		}
	}
}

func TestAddresses(t *testing.T) {
	c := dial(t, "http://127.0.0.1:1", "A Network")
	account := recorded.Source
	contract := "CAAQCAIBAEAQCAIBAEAQCAIBAEAQCAIBAEAQCAIBAEAQCAIBAEAQC526"
	k, err := c.Contract(contract)
	if err != nil {
		t.Fatal(err)
	}
	if k.ID() != contract {
		t.Errorf("id is %s", k.ID())
	}
	for _, wrong := range []string{"", "C", account, contract[:55], contract + "A", recordedKey().Seed()} {
		if _, err := c.Contract(wrong); err == nil {
			t.Errorf("%q is a contract", wrong)
		}
	}
	for _, wrong := range []string{"", "G", contract, account[:55], "M" + account[1:]} {
		_, openErr := k.Open([32]byte{}, wrong)
		_, proposeErr := k.Propose([32]byte{}, wrong)
		_, _, createErr := c.Create([32]byte{}, wrong, [32]byte{})
		if openErr == nil || proposeErr == nil || createErr == nil {
			t.Errorf("%q is an account: %v, %v, %v", wrong, openErr, proposeErr, createErr)
		}
	}
	// What the network makes of this deployer and salt.
	_, id, err := c.Create([32]byte{1}, account, [32]byte{2})
	if want := "CCA5QDFKNSODICIIORCEYP5EADXB6N3A3YOLTTJZJKYAJ55BR4N3PYWY"; err != nil || id != want {
		t.Errorf("the contract's id is %s, not %s: %v", id, want, err)
	}
	for _, entries := range [][]stellar.Entry{nil, make([]stellar.Entry, stellar.RestoreAtOnce+1)} {
		if _, err := stellar.Restore(entries...); err == nil {
			t.Errorf("%d entries are restored at once", len(entries))
		}
	}
}

func TestPayments(t *testing.T) {
	_, c, k := play(t)
	for name, change := range map[string]func(*stellar.Payment){
		"no payer":   func(p *stellar.Payment) { p.Payer = nil },
		"no ceiling": func(p *stellar.Payment) { p.MaxFee = 0 },
		"no time":    func(p *stellar.Payment) { p.ValidFor = 0 },
		"too long":   func(p *stellar.Payment) { p.ValidFor = 1 << 62 },
	} {
		t.Run(name, func(t *testing.T) {
			p := recordedPayment(t)
			change(&p)
			_, err := c.Prepare(t.Context(), recordedCommit(k), p)
			fails(t, err, "internal", nil)
		})
	}
}
