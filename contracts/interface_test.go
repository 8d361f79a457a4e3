package contracts_test

import (
	"bytes"
	"flag"
	"os"
	"testing"

	"github.com/stellar/go-stellar-sdk/xdr"

	"verbatim/contracts"
)

var update = flag.Bool("update", false, "write testdata/interface.txt anew")

// The module carries its description, and the description is the one that people have read and approved.
func TestInterface(t *testing.T) {
	spec := decodeAll[xdr.ScSpecEntry](t, sectionOf(t, "contractspecv0"))
	same(t, "contractspecv0", contracts.Interface(), spec)
	env := decodeAll[xdr.ScEnvMetaEntry](t, sectionOf(t, "contractenvmetav0"))
	same(t, "contractenvmetav0", []xdr.ScEnvMetaEntry{contracts.EnvMeta()}, env)
	meta := decodeAll[xdr.ScMetaEntry](t, sectionOf(t, "contractmetav0"))
	same(t, "contractmetav0", contracts.Meta(), meta)

	const golden = "testdata/interface.txt"
	got := render(t, spec, env, meta)
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	same(t, golden, string(want), got)
}

// decodeAll decodes a row of XDR values.
func decodeAll[Entry any](t *testing.T, data []byte) []Entry {
	t.Helper()
	var entries []Entry
	for r := bytes.NewReader(data); r.Len() > 0; {
		var e Entry
		if _, err := xdr.Unmarshal(r, &e); err != nil {
			t.Fatal(err)
		}
		entries = append(entries, e)
	}
	return entries
}

// Every error of the interface has its number and name in the package, and the numbers are those that were promised.
func TestErrors(t *testing.T) {
	for i, name := range []string{
		"AlreadyOpen", "NotOpen", "RootDiffers", "IdNotIncreasing", "NotProposed", "BadLogId", "BadWriter", "BadCheckpointId",
		"BadRootHash", "BadTimestamp",
	} {
		e := contracts.Error(i + 1)
		if e.Name() != name {
			t.Errorf("error %d is %s, want %s", i+1, e.Name(), name)
		}
	}
	for _, c := range []struct {
		error    contracts.Error
		sentence string
	}{
		{contracts.RootDiffers, "The checkpoint is stored with another root (RootDiffers, contract error #3)"},
		{contracts.BadTimestamp, "The timestamp is not a u64 (BadTimestamp, contract error #10)"},
		{0, "the contract failed with its error #0, which this program does not know"},
		{11, "the contract failed with its error #11, which this program does not know"},
	} {
		if got := c.error.Error(); got != c.sentence {
			t.Errorf("got %q, want %q", got, c.sentence)
		}
	}
	if name := contracts.Error(11).Name(); name != "" {
		t.Errorf("an unknown error has the name %q", name)
	}
}
