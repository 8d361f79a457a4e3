package chain_test

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"testing"

	"verbatim/sidecar/chain"
)

type vectors struct {
	Entries []struct {
		Offset    uint64 `json:"stream_offset"`
		Raw       string `json:"raw_event_bytes"`
		EventHash string `json:"event_hash"`
		Prev      string `json:"prev_entry_hash"`
		EntryHash string `json:"entry_hash"`
	} `json:"entries"`
	MerkleRoots []struct {
		Size uint64 `json:"tree_size"`
		Root string `json:"root"`
	} `json:"merkle_roots"`
	OutputRoots []struct {
		Outputs []string `json:"outputs"`
		Hashes  []string `json:"output_hashes"`
		Root    string   `json:"output_root"`
	} `json:"output_roots"`
}

func load(t *testing.T) vectors {
	t.Helper()
	b, err := os.ReadFile("testdata/chain.json")
	if err != nil {
		t.Fatal(err)
	}
	var v vectors
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	if len(v.Entries) == 0 || len(v.MerkleRoots) == 0 || len(v.OutputRoots) == 0 {
		t.Fatal("the vectors are incomplete")
	}
	return v
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestEntriesAgreeWithTheVectors(t *testing.T) {
	hasher, prev := chain.NewHasher(), chain.Hash{}
	for _, e := range load(t).Entries {
		raw := unhex(t, e.Raw)
		if got := chain.EventHash(raw).String(); got != e.EventHash {
			t.Errorf("offset %d: event hash %s, want %s", e.Offset, got, e.EventHash)
		}
		if prev.String() != e.Prev {
			t.Errorf("offset %d: previous hash %s, want %s", e.Offset, prev, e.Prev)
		}
		if prev = hasher.Entry(prev, e.Offset, raw); prev.String() != e.EntryHash {
			t.Errorf("offset %d: entry hash %s, want %s", e.Offset, prev, e.EntryHash)
		}
	}
}

func TestMerkleRootsAgreeWithTheVectors(t *testing.T) {
	v := load(t)
	for _, want := range v.MerkleRoots {
		tree := chain.NewTree()
		for _, e := range v.Entries[:want.Size] {
			tree.Add(chain.Hash(unhex(t, e.EntryHash)))
		}
		restored, err := chain.RestoreTree(tree.Size(), tree.Nodes())
		if err != nil {
			t.Fatal(err)
		}
		if got := restored.Root(); got.String() != want.Root {
			t.Errorf("size %d: root %s, want %s", want.Size, got, want.Root)
		}
	}
}

func TestOutputRootsAgreeWithTheVectors(t *testing.T) {
	for _, want := range load(t).OutputRoots {
		var root, all chain.Root
		var hashes []chain.Hash
		for i, o := range want.Outputs {
			h := chain.EventHash(unhex(t, o))
			if h.String() != want.Hashes[i] {
				t.Errorf("output hash %s, want %s", h, want.Hashes[i])
			}
			root.Add(h)
			hashes = append(hashes, h)
		}
		half := len(hashes) / 2
		all.AddAll(hashes[:half])
		all.AddAll(hashes[half:])
		if all.Sum() != root.Sum() || all.Count() != root.Count() {
			t.Errorf("root of %d outputs at once: %s, want %s", all.Count(), all.Sum(), root.Sum())
		}
		if root.Sum().String() != want.Root || root.Count() != uint64(len(want.Outputs)) {
			t.Errorf("root of %d outputs: %s, want %s", root.Count(), root.Sum(), want.Root)
		}
	}
}

func TestFirstDifference(t *testing.T) {
	list := func(s string) *chain.Prefixes {
		var p chain.Prefixes
		for _, c := range []byte(s) {
			p.Add(chain.Hash{c})
		}
		return &p
	}
	for _, c := range []struct {
		a, b  string
		at    int
		found bool
	}{
		{"", "", 0, false},
		{"abc", "abc", 3, false},
		{"abc", "xbc", 0, true},
		{"abcdef", "abcdxf", 4, true},
		{"abcdef", "abcdex", 5, true},
		{"abc", "abcd", 3, true},
		{"", "a", 0, true},
	} {
		at, found := chain.FirstDifference(list(c.a), list(c.b))
		if at != c.at || found != c.found {
			t.Errorf("%q and %q differ first at %d, %v; want %d, %v", c.a, c.b, at, found, c.at, c.found)
		}
	}
}

func TestParseHashRefusesWhatIsNoHash(t *testing.T) {
	h := chain.EventHash([]byte("a"))
	got, err := chain.ParseHash(h.String())
	if err != nil || got != h {
		t.Errorf("parse %s: %s, %v", h, got, err)
	}
	for _, s := range []string{"", "zz", h.String()[1:], h.String() + "00"} {
		if _, err := chain.ParseHash(s); err == nil {
			t.Errorf("parse %q: no error", s)
		}
	}
}
