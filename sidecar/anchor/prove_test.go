package anchor

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/stellar/go-stellar-sdk/strkey"
	"github.com/stellar/go-stellar-sdk/xdr"

	"verbatim/contracts"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/chain"
	"verbatim/sidecar/verify"
)

var known = Trusted{Executables: [][32]byte{contracts.Hash}, Whole: true}

// check compares checkpoints with the contract.
func (p *place) check(list []auditlog.CheckpointAt, t Trusted) *Standing {
	p.t.Helper()
	s, err := Check(p.t.Context(), p.directContract(), p.log.ID(), list, t)
	if err != nil {
		p.t.Fatal(err)
	}
	return s
}

// wantFinding wants one finding.
func wantFinding(t *testing.T, s *Standing, code verify.Code, offset uint64, words ...string) {
	t.Helper()
	if len(s.Findings) != 1 {
		t.Fatalf("findings %v", s.Findings)
	}
	f := s.Findings[0]
	if f.Code != code || f.Offset != offset {
		t.Errorf("finding %v, want %s at %d", f, code, offset)
	}
	for _, w := range words {
		if !strings.Contains(f.Text, w) {
			t.Errorf("finding %v lacks %q", f, w)
		}
	}
}

// publishEach anchors checkpoints one by one.
func (p *place) publishEach(n int) []auditlog.CheckpointAt {
	p.t.Helper()
	w := New(p.options())
	for range n {
		p.seal(1)
		if _, err := w.Once(p.t.Context()); err != nil {
			p.t.Fatal(err)
		}
	}
	return p.list()
}

func TestWhatTheLedgerSaysOfALog(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	list := p.publishEach(4)
	p.seal(2)
	all := p.list()
	altered := func(i int, change func(*auditlog.CheckpointAt)) []auditlog.CheckpointAt {
		copied := append([]auditlog.CheckpointAt(nil), all...)
		change(&copied[i])
		return copied
	}

	s := p.check(all, known)
	if !s.OK() || s.Compared != 4 || s.Through.Offset != list[3].Offset || s.NotYet != 2 || !s.Since.Equal(clock(all[4])) || s.Writer != p.writer.Address() {
		t.Errorf("the log itself: %+v", s)
	}

	s = p.check(altered(2, func(c *auditlog.CheckpointAt) { c.Root[5] ^= 1 }), known)
	forged := list[2].Root
	forged[5] ^= 1
	wantFinding(t, s, CodeRoot, list[1].Offset+1, forged.String(), list[2].Root.String(), "checkpoint 2 at offset")
	if s.Through.Offset != list[1].Offset || s.NotYet != 4 {
		t.Errorf("a changed log: %+v", s)
	}
	wantFinding(t, p.check(altered(0, func(c *auditlog.CheckpointAt) { c.Root = chain.Hash{} }), known), CodeRoot, 0)
	wantFinding(t, p.check(altered(1, func(c *auditlog.CheckpointAt) { c.ClockMS++ }), known), CodeTime, list[1].Offset)

	// A log that ends before what was published; one of which no more could be checked.
	wantFinding(t, p.check(all[:3], known), CodeAhead, all[2].Offset+1, "checkpoint 3 was published", list[3].Root.String())
	wantFinding(t, p.check(nil, known), CodeAhead, 1)
	if s := p.check(all[:3], Trusted{Executables: known.Executables}); !s.OK() || s.Compared != 3 {
		t.Errorf("a broken log, as far as it holds: %+v", s)
	}

	// Code that this program does not know.
	wantFinding(t, p.check(all, Trusted{Executables: [][32]byte{{1}}, Whole: true}), CodeContract, 0)

	// Another log.
	other, err := Check(t.Context(), p.directContract(), chain.Hash{1}, all, known)
	if err != nil {
		t.Fatal(err)
	}
	wantFinding(t, other, CodeNotAnchored, 0, "has nothing of this log")
}

func TestALogOfWhichNothingIsPublished(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	if s := p.check(nil, known); !s.OK() {
		t.Errorf("a log without checkpoints: %v", s.Findings)
	}
	p.seal(3)
	wantFinding(t, p.check(p.list(), known), CodeNotAnchored, p.list()[0].Offset)
}

// More checkpoints than one question takes.
func TestManyCheckpoints(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.seal(idsAtOnce/2 + 1)
	if _, err := New(p.options()).Once(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.seal(idsAtOnce / 2)
	if _, err := New(p.options()).Once(t.Context()); err != nil {
		t.Fatal(err)
	}
	all := p.list()
	if s := p.check(all, known); !s.OK() || s.Compared != 2 || s.NotYet != 0 || len(all) <= idsAtOnce {
		t.Errorf("%d checkpoints: %+v", len(all), s)
	}
}

// expire puts entries of the log into the archive.
func (p *place) expire(keys ...xdr.ScVal) {
	p.t.Helper()
	id := xdr.ContractId(strkey.MustDecode(strkey.VersionByteContract, p.contract.ID()))
	address := xdr.ScAddress{Type: xdr.ScAddressTypeScAddressTypeContract, ContractId: &id}
	for _, key := range keys {
		raw, err := xdr.LedgerKey{Type: xdr.LedgerEntryTypeContractData, ContractData: &xdr.LedgerKeyContractData{
			Contract: address, Key: key, Durability: xdr.ContractDataDurabilityPersistent,
		}}.MarshalBinary()
		if err != nil {
			p.t.Fatal(err)
		}
		if err := p.node.Expire(p.t.Context(), base64.StdEncoding.EncodeToString(raw)); err != nil {
			p.t.Fatal(err)
		}
	}
}

func vector(values ...xdr.ScVal) xdr.ScVal {
	vec := xdr.ScVec(values)
	at := &vec
	return xdr.ScVal{Type: xdr.ScValTypeScvVec, Vec: &at}
}

func symbol(name string) xdr.ScVal {
	sym := xdr.ScSymbol(name)
	return xdr.ScVal{Type: xdr.ScValTypeScvSymbol, Sym: &sym}
}

// What has expired is read from the archive, and the next commit brings back what it
// needs.
func TestExpiredEntries(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.publishEach(2)
	id := p.log.ID()
	bytes := xdr.ScBytes(id[:])
	log, zero := xdr.ScVal{Type: xdr.ScValTypeScvBytes, Bytes: &bytes}, xdr.Uint64(0)
	p.expire(
		vector(symbol("Log"), log), vector(symbol("Root"), log, xdr.ScVal{Type: xdr.ScValTypeScvU64, U64: &zero}),
		xdr.ScVal{Type: xdr.ScValTypeScvLedgerKeyContractInstance},
	)
	if s := p.check(p.list(), known); !s.OK() || s.Compared != 2 || s.Expired != 2 {
		t.Errorf("with expired entries: %+v", s)
	}
	p.publishEach(1)
	if s := p.check(p.list(), known); !s.OK() || s.Compared != 3 || s.Expired != 1 {
		t.Errorf("after the next commit: %+v", s)
	}
}
