package stellar_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stellar/go-stellar-sdk/keypair"

	"verbatim/sidecar/stellar"
	"verbatim/tests/soroban"
)

var update = flag.Bool("update", false, "record testdata/session.json anew, from a real node")

// sessionFile has one commit as a real node answered it, by the log's writer, who
// pays for it: so that the transaction is the same bytes each time.
const sessionFile = "testdata/session.json"

// session is a recording. A test may change what it answers.
type session struct {
	Contract string
	// Envelope is what Prepare made.
	Envelope []byte
	// Answers are by method, Entries by key.
	Answers map[string]map[string]any
	Entries map[string]map[string]any

	// frame, if not nil, answers in place of the recording.
	frame  func(w http.ResponseWriter, method string, id json.RawMessage)
	mu     sync.Mutex
	server *httptest.Server
}

// answerWith answers in place of the recording from now on.
func (s *session) answerWith(frame func(w http.ResponseWriter, method string, id json.RawMessage)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.frame = frame
}

// recorded is the call in the recording; its Source paid.
var recorded = stellar.CommitCall{
	LogID: [32]byte{7}, CheckpointID: 1<<56 + 9, Root: [32]byte{31: 5}, TimestampMS: 1_780_000_000_000,
	Source: recordedKey().Address(),
}

func recordedKey() *keypair.Full {
	key, err := keypair.FromRawSeed(sha256.Sum256([]byte("an account for a test")))
	if err != nil {
		panic(err)
	}
	return key
}

func recordedCommit(k *stellar.Contract) stellar.Operation {
	return k.Commit(recorded.LogID, recorded.CheckpointID, recorded.Root, recorded.TimestampMS)
}

func recordedPayment(t *testing.T) stellar.Payment {
	t.Helper()
	signer, err := stellar.KeyFile(writeKey(t, recordedKey().Seed(), 0o600))
	if err != nil {
		t.Fatal(err)
	}
	return stellar.Payment{Payer: signer, MaxFee: 200 * xlm, ValidFor: time.Minute}
}

// play reads the recording and serves it.
func play(t *testing.T) (*session, *stellar.Client, *stellar.Contract) {
	t.Helper()
	return playAt(t, func(url string) string { return url })
}

// playAt lets the client use another form of the server's address.
func playAt(t *testing.T, address func(string) string) (*session, *stellar.Client, *stellar.Contract) {
	t.Helper()
	s := readSession(t)
	s.server = httptest.NewServer(s)
	t.Cleanup(s.server.Close)
	c := dial(t, address(s.server.URL), soroban.Passphrase)
	k, err := c.Contract(s.Contract)
	if err != nil {
		t.Fatal(err)
	}
	return s, c, k
}

func readSession(t testing.TB) *session {
	t.Helper()
	text, err := os.ReadFile(sessionFile)
	if err != nil {
		t.Fatal(err)
	}
	s := &session{}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(s); err != nil {
		t.Fatal(err)
	}
	return s
}

// recordedHash is the transaction's.
func recordedHash(t testing.TB, s *session) [32]byte {
	t.Helper()
	raw, err := hex.DecodeString(s.Answers["sendTransaction"]["hash"].(string))
	if err != nil {
		t.Fatal(err)
	}
	return [32]byte(raw)
}

type question struct {
	ID     json.RawMessage
	Method string
	Params struct{ Keys []string }
}

func (s *session) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var q question
	if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	frame := s.frame
	s.mu.Unlock()
	if frame != nil {
		frame(w, q.Method, q.ID)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	answer := maps.Clone(s.Answers[q.Method])
	if _, given := answer["entries"]; q.Method == "getLedgerEntries" && !given {
		entries := []any{}
		for _, key := range q.Params.Keys {
			if e := s.Entries[key]; e != nil {
				entries = append(entries, e)
			}
		}
		answer["entries"] = entries
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"jsonrpc": "2.0", "id": q.ID, "result": answer})
}

// record passes questions on to a node, and keeps its answers.
func (s *session) record(t *testing.T, node string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		resp, err := http.Post(node, "application/json", bytes.NewReader(body))
		if err != nil {
			t.Error(err)
			return
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Error(err)
		}
		var q question
		var a struct{ Result map[string]any }
		decoder := json.NewDecoder(bytes.NewReader(text))
		decoder.UseNumber()
		if err := json.Unmarshal(body, &q); err != nil {
			t.Error(err)
		}
		if err := decoder.Decode(&a); err != nil {
			t.Error(err)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		entries, _ := a.Result["entries"].([]any)
		for _, e := range entries {
			entry := e.(map[string]any)
			s.Entries[entry["key"].(string)] = entry
		}
		delete(a.Result, "entries")
		s.Answers[q.Method] = a.Result
		_, _ = w.Write(text)
	}
}

// TestSession replays the recording; with -update it makes it, which needs the node.
func TestSession(t *testing.T) {
	if *update {
		newSession(t)
	}
	s, c, k := play(t)
	ctx := t.Context()
	tx, err := c.Prepare(ctx, recordedCommit(k), recordedPayment(t))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(tx.Envelope, s.Envelope) {
		t.Errorf("the transaction is %x, not %x", tx.Envelope, s.Envelope)
	}
	if err := c.Send(ctx, tx.Envelope); err != nil {
		t.Error(err)
	}
	out, err := c.Await(ctx, tx)
	if err != nil || out.Status != stellar.Success {
		t.Errorf("it is %+v: %v", out, err)
	}
	state, err := k.Log(ctx, recorded.LogID)
	if err != nil || state.Latest == nil || state.Latest.Hash != recorded.Root || state.Latest.Ledger != out.Ledger || !state.Latest.ClosedAt.Equal(out.ClosedAt) {
		t.Errorf("the log is %+v: %v", state, err)
	}
	roots, err := k.Roots(ctx, recorded.LogID, []uint64{recorded.CheckpointID, 1})
	if err != nil || len(roots) != 1 || roots[recorded.CheckpointID] != *state.Latest {
		t.Errorf("roots are %+v: %v", roots, err)
	}
	if latest, err := c.Latest(ctx); err != nil || latest.Sequence == 0 {
		t.Errorf("latest ledger is %+v: %v", latest, err)
	}
}

func newSession(t *testing.T) {
	l := deploy(t)
	s := &session{
		Contract: l.ID(),
		Answers:  map[string]map[string]any{}, Entries: map[string]map[string]any{},
	}
	p := recordedPayment(t)
	l.tell(l.node.Fund(t.Context(), p.Payer.Address(), 1000*xlm))
	open, err := l.Open(recorded.LogID, p.Payer.Address())
	if err != nil {
		t.Fatal(err)
	}
	l.succeed(open, p)
	proxy := httptest.NewServer(s.record(t, l.node.URL()))
	t.Cleanup(proxy.Close)
	l.Client = dial(t, proxy.URL, soroban.Passphrase)
	k, err := l.Client.Contract(s.Contract)
	if err != nil {
		t.Fatal(err)
	}
	tx := l.prepare(recordedCommit(k), p)
	s.Envelope = tx.Envelope
	l.settle(tx)
	if _, err := k.Log(t.Context(), recorded.LogID); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Roots(t.Context(), recorded.LogID, []uint64{recorded.CheckpointID}); err != nil {
		t.Fatal(err)
	}
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(sessionFile, append(text, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
}
