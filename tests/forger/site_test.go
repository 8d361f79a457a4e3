package forger

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stellar/go-stellar-sdk/keypair"
	"go.uber.org/goleak"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/checkpoint"
	"verbatim/tests/mesh"
	"verbatim/tests/soroban"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	stroops = 10_000_000
	maxFee  = 50 * stroops
)

// site is what the forgeries have in common: the program, the honest log, the keys
// and, where there is a node, the ledger.
type site struct {
	program string
	dir     string // of files
	old     *checkpoint.Key
	new     *checkpoint.Key
	ledger  *ledger // nil: there is no node on this machine
	honest  *honest
	pruned  *honest // another one, of which the beginning was pruned
}

// ledger is a network of one node, the contract that logs are anchored on, and who
// writes there.
type ledger struct {
	// One transaction of the writer's at a time.
	writing sync.Mutex

	node     *soroban.Node
	writer   string
	keyFile  string
	contract string
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{dir: t.TempDir()}
	var err error
	if s.program, err = mesh.Build(t.Context(), "./cmd/verbatim", s.dir); err != nil {
		t.Fatal(err)
	}
	s.old, s.new = s.key(t, "old"), s.key(t, "new")
	if soroban.Wanted() {
		s.ledger = s.newLedger(t)
	}
	s.honest, s.pruned = s.record(t, "honest", false), s.record(t, "pruned", true)
	return s
}

func (s *site) key(t *testing.T, name string) *checkpoint.Key {
	t.Helper()
	k, err := checkpoint.CreateKeySynced(filepath.Join(t.TempDir(), "key"), "log.example/"+name)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func (s *site) newLedger(t *testing.T) *ledger {
	t.Helper()
	writer, err := keypair.Random()
	if err != nil {
		t.Fatal(err)
	}
	l := &ledger{writer: writer.Address(), keyFile: filepath.Join(s.dir, "writer.key")}
	if err := os.WriteFile(l.keyFile, []byte(writer.Seed()), 0o600); err != nil {
		t.Fatal(err)
	}
	l.node = soroban.Start(t, soroban.Options{CloseEvery: 100 * time.Millisecond, Accounts: map[string]int64{l.writer: 10_000 * stroops}})
	l.contract = s.deploy(t, l)
	return l
}

// deploy puts the contract on the ledger, once more.
func (s *site) deploy(t *testing.T, l *ledger) string {
	t.Helper()
	out := s.verbatim(t, append([]string{"anchor", "deploy", "--network", soroban.Passphrase}, l.sending()...)...)
	words := strings.Fields(out)
	return words[len(words)-1]
}

// sending are the flags of commands that send a transaction.
func (l *ledger) sending() []string {
	return []string{"--rpc", l.node.URL(), "--key-file", l.keyFile, "--max-fee", strconv.Itoa(maxFee)}
}

// where is what a genesis says.
func (l *ledger) where(contract string) *logv1.Anchor {
	if l == nil {
		return nil
	}
	return &logv1.Anchor{Network: soroban.Passphrase, Contract: contract, Writer: l.writer}
}

// verbatim runs the program, which has to succeed.
func (s *site) verbatim(t *testing.T, args ...string) string {
	t.Helper()
	out, code, said := s.run(t, args...)
	if code != 0 {
		t.Fatalf("verbatim %s: exit code %d: %s", strings.Join(args, " "), code, said)
	}
	return string(out)
}

// run runs the program to its end.
func (s *site) run(t *testing.T, args ...string) (out []byte, code int, said string) {
	t.Helper()
	c := exec.CommandContext(t.Context(), s.program, args...)
	var stderr bytes.Buffer
	c.Stderr = &stderr
	out, err := c.Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return out, c.ProcessState.ExitCode(), stderr.String()
}
