package javascript

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stellar/go-stellar-sdk/keypair"

	"verbatim/contracts"
	"verbatim/sidecar/chain"
	"verbatim/sidecar/stellar"
	"verbatim/tests/soroban"
)

// root is a Root as the SDK shows it.
type root struct {
	CheckpointID string `json:"checkpoint_id"`
	ClosedAt     string `json:"closed_at"`
	Ledger       uint32 `json:"ledger"`
	RootHash     string `json:"root_hash"`
	Timestamp    string `json:"timestamp"`
}

// shown is what read.mjs prints.
type shown struct {
	Functions []struct {
		Name            string
		Inputs, Outputs []string
	}
	Errors []struct {
		Name   string
		Number uint32
	}
	EventsDescribed []struct {
		Name           string
		Topics, Params []string
	}
	Events []struct {
		Topics []string
		Data   struct {
			root
			Writer string
		}
		Ledger uint32
	}
	Log struct {
		Latest           root
		Proposed, Writer string
	}
	Roots, Got map[string]root
	Latest     root
	Unknown    string
}

// ids go over the borders of what JavaScript's numbers and Soroban's small values hold.
var ids = []uint64{0, 7, 1 << 31, 1<<53 + 1, 1<<56 + 5, 1<<64 - 1}

const stroops = 10_000_000

// onLedger is a contract with a log and its roots.
type onLedger struct {
	node     *soroban.Node
	writer   string
	contract string
	logID    [32]byte
	roots    map[uint64]stellar.Root
}

// publish deploys the contract, opens a log on it and commits roots.
func publish(t *testing.T) *onLedger {
	t.Helper()
	signer := testSigner(t)
	l := &onLedger{writer: signer.Address(), logID: chain.EventHash([]byte("a log"))}
	l.node = soroban.Start(t, soroban.Options{CloseEvery: 100 * time.Millisecond, Accounts: map[string]int64{l.writer: 1000 * stroops}})
	client, err := stellar.Dial(l.node.URL(), soroban.Passphrase)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	transact := func(op stellar.Operation) {
		t.Helper()
		tx, err := client.Prepare(t.Context(), op, stellar.Payment{Payer: signer, MaxFee: 100 * stroops, ValidFor: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		if err := client.Send(t.Context(), tx.Envelope); err != nil {
			t.Fatal(err)
		}
		if out, err := client.Await(t.Context(), tx); err != nil || out.Status != stellar.Success {
			t.Fatalf("%s: %+v, %v", op, out, err)
		}
	}
	transact(stellar.Upload(contracts.Wasm))
	create, id, err := client.Create(contracts.Hash, l.writer, [32]byte{1})
	if err != nil {
		t.Fatal(err)
	}
	transact(create)
	l.contract = id
	contract, err := client.Contract(id)
	if err != nil {
		t.Fatal(err)
	}
	open, err := contract.Open(l.logID, l.writer)
	if err != nil {
		t.Fatal(err)
	}
	transact(open)
	for i, id := range ids {
		transact(contract.Commit(l.logID, id, chain.EventHash(strconv.AppendInt(nil, int64(i), 10)), 1<<60+uint64(i)))
	}
	if l.roots, err = contract.Roots(t.Context(), l.logID, ids); err != nil {
		t.Fatal(err)
	}
	return l
}

func testSigner(t *testing.T) stellar.Signer {
	t.Helper()
	pair, err := keypair.Random()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, []byte(pair.Seed()), 0o600); err != nil {
		t.Fatal(err)
	}
	signer, err := stellar.KeyFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

// read runs read.mjs where its packages are.
func read(t *testing.T, l *onLedger) (s shown) {
	t.Helper()
	installed := filepath.Join(filepath.Dir(soroban.Program()), "..", "..", "javascript")
	if _, err := os.Stat(filepath.Join(installed, ".installed")); err != nil {
		soroban.LeaveOut(t, "Stellar's JavaScript SDK is not installed: make installs it where there is Node.js")
	}
	source, err := os.ReadFile("read.mjs")
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(installed, "read.mjs") // beside node_modules
	if err := os.WriteFile(program, source, 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{program, l.node.URL(), soroban.Passphrase, l.contract, chain.Hash(l.logID).String()}
	for _, id := range ids {
		args = append(args, strconv.FormatUint(id, 10))
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	var complaint strings.Builder
	cmd := exec.CommandContext(ctx, "node", args...)
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("node read.mjs: %v\n%s", err, complaint.String())
	}
	if err := json.Unmarshal(out, &s); err != nil {
		t.Fatalf("read what read.mjs printed: %v\n%s", err, out)
	}
	return s
}

func TestJavaScriptReadsTheContract(t *testing.T) {
	l := publish(t)
	s := read(t, l)
	want := map[string]root{}
	for id, r := range l.roots {
		want[strconv.FormatUint(id, 10)] = root{
			CheckpointID: strconv.FormatUint(id, 10), ClosedAt: strconv.FormatInt(r.ClosedAt.Unix(), 10), Ledger: r.Ledger,
			RootHash: chain.Hash(r.Hash).String(), Timestamp: strconv.FormatUint(r.TimestampMS, 10),
		}
	}
	last := want[strconv.FormatUint(ids[len(ids)-1], 10)]
	for name, c := range map[string]struct{ want, got any }{
		"stored roots":         {want, s.Roots},
		"get":                  {want, s.Got},
		"latest":               {last, s.Latest},
		"the log's latest":     {last, s.Log.Latest},
		"the log's writer":     {l.writer, s.Log.Writer},
		"the proposed writer":  {"", s.Log.Proposed},
		"number of roots":      {len(ids), len(want)},
		"error of another log": {"The log is not open", s.Unknown},
	} {
		if diff := cmp.Diff(c.want, c.got); diff != "" {
			t.Errorf("%s (-Go, +JavaScript): %s", name, diff)
		}
	}
	checkEvents(t, l, s, want)
	checkInterface(t, s)
}

func checkEvents(t *testing.T, l *onLedger, s shown, want map[string]root) {
	t.Helper()
	logID := chain.Hash(l.logID).String()
	if len(s.Events) != len(ids)+1 {
		t.Fatalf("%d events", len(s.Events))
	}
	if e := s.Events[0]; !slices.Equal(e.Topics, []string{"opened", logID}) || e.Data.Writer != l.writer {
		t.Errorf("the first event is %+v", e)
	}
	for i, e := range s.Events[1:] {
		w := want[strconv.FormatUint(ids[i], 10)]
		if !slices.Equal(e.Topics, []string{"committed", logID}) || e.Data.root != w || e.Ledger != w.Ledger {
			t.Errorf("event %d is %+v, want %+v", i+1, e, w)
		}
	}
}

func checkInterface(t *testing.T, s shown) {
	t.Helper()
	var functions, events []string
	for _, f := range s.Functions {
		functions = append(functions, f.Name+"("+strings.Join(f.Inputs, ", ")+") "+strings.Join(f.Outputs, ", "))
	}
	for _, e := range s.EventsDescribed {
		events = append(events, strings.Join(e.Topics, ",")+"("+strings.Join(e.Params, ", ")+")")
	}
	slices.Sort(functions)
	slices.Sort(events)
	if diff := cmp.Diff([]string{
		"accept(log_id: BytesN<32>) ",
		"commit(log_id: BytesN<32>, checkpoint_id: U64, root_hash: BytesN<32>, timestamp: U64) ",
		"get(log_id: BytesN<32>, checkpoint_id: U64) Option<Root>",
		"latest(log_id: BytesN<32>) Option<Root>",
		"open(log_id: BytesN<32>, writer: Address) ",
		"propose(log_id: BytesN<32>, writer: Address) ",
	}, functions); diff != "" {
		t.Errorf("functions: %s", diff)
	}
	if diff := cmp.Diff([]string{
		"accepted(log_id: BytesN<32>, writer: Address)",
		"committed(log_id: BytesN<32>, checkpoint_id: U64, closed_at: U64, ledger: U32, root_hash: BytesN<32>, timestamp: U64)",
		"opened(log_id: BytesN<32>, writer: Address)",
		"proposed(log_id: BytesN<32>, writer: Address)",
	}, events); diff != "" {
		t.Errorf("events: %s", diff)
	}
	names := map[uint32]string{}
	for _, e := range s.Errors {
		names[e.Number] = e.Name
	}
	if diff := cmp.Diff(map[uint32]string{
		1: "AlreadyOpen", 2: "NotOpen", 3: "RootDiffers", 4: "IdNotIncreasing", 5: "NotProposed",
		6: "BadLogId", 7: "BadWriter", 8: "BadCheckpointId", 9: "BadRootHash", 10: "BadTimestamp",
	}, names); diff != "" {
		t.Errorf("errors: %s", diff)
	}
}
