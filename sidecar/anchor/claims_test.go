package anchor

import (
	"bytes"
	"testing"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/rfc6962"
	"google.golang.org/protobuf/proto"

	anchorv1 "verbatim/proto/verbatim/anchor/v1"
	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/chain"
	"verbatim/sidecar/verify"
)

// claims checks the log's receipts against checkpoints.
func (p *place) claims(list []auditlog.CheckpointAt) *Standing {
	p.t.Helper()
	v := p.view()
	defer v.Close()
	s, err := CheckReceipts(p.t.Context(), v, list)
	if err != nil {
		p.t.Fatal(err)
	}
	return s
}

func (p *place) keepRaw(id uint64, value []byte) {
	p.t.Helper()
	if err := p.log.KeepSynced(p.t.Context(), auditlog.Record{Key: receiptKey(id), Value: value}); err != nil {
		p.t.Fatal(err)
	}
}

func (p *place) keepReceipt(r *anchorv1.Receipt) {
	p.t.Helper()
	p.keepRaw(r.GetCheckpointId(), must(proto.Marshal(r))(p.t))
}

func TestReceipts(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	list := p.publishEach(2)
	p.seal(1)
	all := p.list()
	if s := p.claims(all); !s.OK() || s.Compared != 2 || s.Through.Offset != list[1].Offset || s.NotYet != 1 {
		t.Errorf("the log's own: %+v", s)
	}
	rewritten := append([]auditlog.CheckpointAt(nil), all...)
	rewritten[1].Root[5] ^= 1
	wantFinding(t, p.claims(rewritten), CodeRoot, list[0].Offset+1, "THE LOG IS NOT THE ONE THAT WAS PUBLISHED", "in its receipt")
	other := p.place(t)
	other.publishEach(1)
	honest := p.receipts()[1]
	at := all[1].Offset
	flip := func(b []byte) []byte { b = bytes.Clone(b); b[len(b)/2] ^= 1; return b }
	for _, c := range []struct {
		name   string
		change func(*anchorv1.Receipt)
		code   verify.Code
		offset uint64
		words  string
	}{
		{"another root", func(r *anchorv1.Receipt) { r.Root = flip(r.Root) }, CodeReceipt, at, "its transaction committed"},
		{"another root, bare", func(r *anchorv1.Receipt) { r.Root, r.Envelope = flip(r.Root), nil }, CodeRoot, list[0].Offset + 1, "in its receipt"},
		{"another root, of another log", func(r *anchorv1.Receipt) {
			o := other.receipts()[0]
			r.Root, r.Envelope, r.Result, r.TransactionHash = o.Root, o.Envelope, o.Result, o.TransactionHash
		}, CodeReceipt, at, "none of this log's: its transaction is of log"},
		{"no root", func(r *anchorv1.Receipt) { r.Root = nil }, CodeReceipt, at, "has no root"},
		{"another network", func(r *anchorv1.Receipt) { r.Network = "Elsewhere" }, CodeReceipt, at, `network "Elsewhere"`},
		{"another contract", func(r *anchorv1.Receipt) { r.Contract = "C" }, CodeReceipt, at, "contract C"},
		{"another hash", func(r *anchorv1.Receipt) { r.TransactionHash = flip(r.TransactionHash) }, CodeReceipt, at, "does not fit"},
		{"no hash", func(r *anchorv1.Receipt) { r.TransactionHash = nil }, CodeReceipt, at, "no transaction hash"},
		{"another envelope", func(r *anchorv1.Receipt) { r.Envelope = flip(r.Envelope) }, CodeReceipt, at, "does not fit"},
		{"another result", func(r *anchorv1.Receipt) { r.Result = r.Result[:5] }, CodeReceipt, at, "does not fit"},
		{"that of another checkpoint", func(r *anchorv1.Receipt) {
			o := p.receipts()[0]
			r.Envelope, r.Result, r.TransactionHash = o.Envelope, o.Result, o.TransactionHash
		}, CodeReceipt, at, "is of checkpoint 0"},
		{"a path that leads nowhere", func(r *anchorv1.Receipt) {
			r.Path = &anchorv1.InclusionPath{TreeSize: 2, Hashes: [][]byte{make([]byte, 32)}}
		}, CodeReceipt, at, "its path does not lead to"},
	} {
		r := proto.CloneOf(honest)
		c.change(r)
		p.keepReceipt(r)
		s := p.claims(all)
		if len(s.Findings) != 1 {
			t.Errorf("%s: findings %v", c.name, s.Findings)
			continue
		}
		wantFinding(t, s, c.code, c.offset, c.words)
	}
	p.keepRaw(1, []byte{0xff})
	wantFinding(t, p.claims(all), CodeReceipt, list[0].Offset+1, "log is damaged")

	bare := proto.CloneOf(honest)
	bare.Envelope, bare.Result, bare.TransactionHash = nil, nil, nil
	p.keepReceipt(bare)
	if s := p.claims(all); !s.OK() || s.Bare != 1 || s.Compared != 1 {
		t.Errorf("a receipt without a transaction: %+v", s)
	}
	p.keepReceipt(honest)
	wantFinding(t, p.claims(all[:1]), CodeAhead, at, "no such checkpoint")
}

// A root can be in a tree whose root was committed.
func TestAPathLeadsToWhatWasCommitted(t *testing.T) {
	roots := []chain.Hash{{1}, {2}, {3}}
	leaves := make([][]byte, len(roots))
	tree := (&compact.RangeFactory{Hash: rfc6962.DefaultHasher.HashChildren}).NewEmptyRange(0)
	for i, r := range roots {
		leaves[i] = rfc6962.DefaultHasher.HashLeaf(r[:])
		if err := tree.Append(leaves[i], nil); err != nil {
			t.Fatal(err)
		}
	}
	committed, err := tree.GetRootHash(nil)
	if err != nil {
		t.Fatal(err)
	}
	path := &anchorv1.InclusionPath{LeafIndex: 1, TreeSize: 3, Hashes: [][]byte{leaves[0], leaves[2]}}
	if err := leadsTo(path, roots[1], chain.Hash(committed)); err != nil {
		t.Error(err)
	}
	for name, err := range map[string]error{
		"another root":   leadsTo(path, roots[0], chain.Hash(committed)),
		"another tree":   leadsTo(path, roots[1], chain.Hash{}),
		"no path":        leadsTo(nil, roots[1], chain.Hash(committed)),
		"another leaf":   leadsTo(&anchorv1.InclusionPath{LeafIndex: 2, TreeSize: 3, Hashes: path.Hashes}, roots[1], chain.Hash(committed)),
		"a longer path":  leadsTo(&anchorv1.InclusionPath{LeafIndex: 1, TreeSize: 3, Hashes: append(path.Hashes, leaves[1])}, roots[1], chain.Hash(committed)),
		"no size at all": leadsTo(&anchorv1.InclusionPath{}, roots[1], chain.Hash(committed)),
	} {
		if err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

// FuzzReceipt: whatever a receipt holds, it is refused or of the checkpoint.
func FuzzReceipt(f *testing.F) {
	c := auditlog.CheckpointAt{Offset: 4, Root: chain.Hash{1}, Checkpoint: &logv1.Checkpoint{}}
	seed := &anchorv1.Receipt{Network: "n", Contract: "c", Root: c.Root[:], TransactionHash: make([]byte, 32), Envelope: []byte{0, 0, 0, 2}}
	raw, err := proto.Marshal(seed)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Fuzz(func(t *testing.T, raw []byte) {
		r := &anchorv1.Receipt{}
		if proto.Unmarshal(raw, r) != nil {
			return
		}
		s := &Standing{}
		s.claim(r, &logv1.Anchor{Network: r.GetNetwork(), Contract: r.GetContract()}, chain.Hash{}, []auditlog.CheckpointAt{c})
		if s.Through != nil && !bytes.Equal(r.GetRoot(), c.Root[:]) {
			t.Errorf("taken: %v", r)
		}
	})
}

func TestACutNeedsAnAnchoredPruneEntry(t *testing.T) {
	for _, c := range []struct {
		through *auditlog.CheckpointAt
		ok      bool
	}{{nil, false}, {&auditlog.CheckpointAt{Offset: 40}, false}, {&auditlog.CheckpointAt{Offset: 41}, true}} {
		s := &Standing{Through: c.through}
		s.Cut(auditlog.Cut{Offset: 20, PruneOffset: 41})
		if s.OK() != c.ok {
			t.Errorf("anchored through %v: %v", c.through, s.Findings)
		}
	}
}
