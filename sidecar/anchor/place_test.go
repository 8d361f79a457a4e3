package anchor

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stellar/go-stellar-sdk/keypair"
	"go.uber.org/goleak"

	"verbatim/contracts"
	anchorv1 "verbatim/proto/verbatim/anchor/v1"
	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/chain"
	"verbatim/sidecar/stellar"
	"verbatim/tests/soroban"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const stroops = 10_000_000

// ledger is a node and a contract on it.
type ledger struct {
	node     *soroban.Node
	direct   *stellar.Client
	deployer stellar.Signer
	id       string // the contract's
}

func newLedger(t *testing.T) *ledger {
	t.Helper()
	l := &ledger{deployer: newSigner(t)}
	l.node = soroban.Start(t, soroban.Options{CloseEvery: 100 * time.Millisecond, Accounts: map[string]int64{l.deployer.Address(): 1000 * stroops}})
	l.direct = dial(t, l.node.URL())
	l.transact(t, stellar.Upload(contracts.Wasm), l.deployer)
	create, id, err := l.direct.Create(contracts.Hash, l.deployer.Address(), [32]byte{9})
	if err != nil {
		t.Fatal(err)
	}
	l.transact(t, create, l.deployer)
	l.id = id
	return l
}

// transact has somebody do something on the ledger.
func (l *ledger) transact(t *testing.T, op stellar.Operation, who stellar.Signer) {
	t.Helper()
	tx, err := l.direct.Prepare(t.Context(), op, stellar.Payment{Payer: who, MaxFee: 50 * stroops, ValidFor: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.direct.Send(t.Context(), tx.Envelope); err != nil {
		t.Fatal(err)
	}
	if out, err := l.direct.Await(t.Context(), tx); err != nil || out.Status != stellar.Success {
		t.Fatalf("%s: %+v, %v", op, out, err)
	}
}

// place is a log that is open on a ledger's contract, its writer, and a proxy before
// the node.
type place struct {
	*ledger
	t        *testing.T
	proxy    *soroban.Proxy
	client   *stellar.Client // through the proxy
	contract *stellar.Contract
	writer   stellar.Signer
	dir      string
	log      *auditlog.Log
	sealed   chan struct{}
	before   int // transactions before anything is published
}

const interval = 4

func newPlace(t *testing.T) *place {
	t.Helper()
	return newLedger(t).place(t)
}

// place is a new one on this ledger.
func (l *ledger) place(t *testing.T) *place {
	t.Helper()
	p := l.closedPlace(t)
	l.transact(t, must(p.directContract().Open(p.log.ID(), p.writer.Address()))(t), p.writer)
	p.before = len(p.transactions())
	return p
}

// closedPlace is one whose log is not open on the contract.
func (l *ledger) closedPlace(t *testing.T) *place {
	t.Helper()
	p := &place{ledger: l, t: t, writer: newSigner(t), dir: filepath.Join(t.TempDir(), "log"), sealed: make(chan struct{}, 1)}
	if err := l.node.Fund(t.Context(), p.writer.Address(), 1000*stroops); err != nil {
		t.Fatal(err)
	}
	p.proxy = soroban.StartProxy(t, l.node)
	p.client = dial(t, p.proxy.URL())
	p.contract = must(p.client.Contract(l.id))(t)
	where := &logv1.Anchor{Network: soroban.Passphrase, Contract: l.id, Writer: p.writer.Address()}
	if _, err := auditlog.Create(p.dir, auditlog.Origin{Interval: interval, Anchor: where}); err != nil {
		t.Fatal(err)
	}
	p.open()
	return p
}

func must[T any](value T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

func dial(t *testing.T, url string) *stellar.Client {
	t.Helper()
	c, err := stellar.Dial(url, soroban.Passphrase)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func newSigner(t *testing.T) stellar.Signer {
	t.Helper()
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, []byte(keypair.MustRandom().Seed()), 0o600); err != nil {
		t.Fatal(err)
	}
	return must(stellar.KeyFile(file))(t)
}

func (p *place) directContract() *stellar.Contract {
	p.t.Helper()
	return must(p.direct.Contract(p.contract.ID()))(p.t)
}

func (p *place) payment() stellar.Payment {
	return stellar.Payment{Payer: p.writer, MaxFee: 2 * stroops, ValidFor: 20 * time.Second}
}

func (p *place) open() {
	p.t.Helper()
	log, err := auditlog.Open(p.dir, auditlog.Options{})
	if err != nil {
		p.t.Fatal(err)
	}
	p.log = log
	p.t.Cleanup(func() { _ = log.Close(context.WithoutCancel(p.t.Context())) })
}

// seal appends entries until there are n checkpoints more.
func (p *place) seal(n int) {
	p.t.Helper()
	for target := p.checkpoints() + n; p.checkpoints() < target; {
		d, err := auditlog.NewDraft(&logv1.Event{Kind: &logv1.Event_Gap{Gap: &logv1.Gap{Exchanges: 1}}})
		if err != nil {
			p.t.Fatal(err)
		}
		if _, err := p.log.Append(d).Wait(p.t.Context()); err != nil {
			p.t.Fatal(err)
		}
	}
	select {
	case p.sealed <- struct{}{}:
	default:
	}
}

func (p *place) view() *auditlog.View {
	p.t.Helper()
	v, err := p.log.View()
	if err != nil {
		p.t.Fatal(err)
	}
	return v
}

func (p *place) checkpoints() int { return len(p.list()) }

func (p *place) list() []auditlog.CheckpointAt {
	p.t.Helper()
	v := p.view()
	defer v.Close()
	return must(v.Checkpoints(p.t.Context(), 0))(p.t)
}

func (p *place) progress() *Progress {
	p.t.Helper()
	v := p.view()
	defer v.Close()
	return must(ReadProgress(p.t.Context(), v))(p.t)
}

func (p *place) receipts() (list []*anchorv1.Receipt) {
	p.t.Helper()
	v := p.view()
	defer v.Close()
	for r, err := range Receipts(p.t.Context(), v, 0) {
		if err != nil {
			p.t.Fatal(err)
		}
		list = append(list, r)
	}
	return list
}

// transactions are those that the writer paid.
func (p *place) transactions() (list []soroban.Transaction) {
	p.t.Helper()
	for _, tx := range must(p.node.Transactions(p.t.Context()))(p.t) {
		if tx.Source == p.writer.Address() {
			list = append(list, tx)
		}
	}
	return list
}

// options are those of a worker that publishes as soon as it can.
func (p *place) options() Options {
	return Options{
		Log: p.log, Where: p.log.Anchor(), Client: p.client, Contract: p.contract, Payment: p.payment(), Sealed: p.sealed,
		Schedule: Schedule{Every: 1},
	}
}

// run has a worker run until stop is called, at the test's end at the latest.
func (p *place) run(w *Worker) (stop func()) {
	ctx, cancel := context.WithCancel(p.t.Context())
	ended := make(chan struct{})
	go func() { // ends with ctx
		w.Run(ctx)
		close(ended)
	}()
	stop = sync.OnceFunc(func() { cancel(); <-ended })
	p.t.Cleanup(stop)
	return stop
}

// patience bounds each wait for something that has to come.
const patience = 60 * time.Second

// until waits for a condition.
func (p *place) until(what string, condition func() bool) {
	p.t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-deadline.C:
			p.t.Fatalf("waited %v in vain: %s", patience, what)
		}
	}
}

// settled waits until no checkpoint is pending and nothing under way.
func (p *place) settled() {
	p.t.Helper()
	p.until("every checkpoint is anchored", func() bool {
		now := p.progress()
		return len(now.Pending) == 0 && now.Submission == nil
	})
}

// wantWhole wants what the contract has and what the receipts say to be the log's,
// and one transaction for each root.
func (p *place) wantWhole() {
	p.t.Helper()
	checkpoints, receipts, next := p.list(), p.receipts(), uint64(0)
	for _, r := range receipts {
		c := checkpoints[r.GetCheckpointId()]
		if chain.Hash(r.GetRoot()) != c.Root || r.GetOffset() != c.Offset || r.GetTimestampMs() != c.ClockMS || r.GetFirstCoveredId() != next {
			p.t.Errorf("receipt %v is not of checkpoint %+v", r, c)
		}
		next = r.GetCheckpointId() + 1
	}
	if next != uint64(len(checkpoints)) {
		p.t.Errorf("receipts cover %d of %d checkpoints", next, len(checkpoints))
	}
	s, err := Check(p.t.Context(), p.directContract(), p.log.ID(), checkpoints, Trusted{Executables: [][32]byte{contracts.Hash}, Whole: true})
	if err != nil || !s.OK() || s.NotYet != 0 || s.Compared != uint64(len(receipts)) {
		p.t.Errorf("the contract says %+v, %v; there are %d receipts", s, err, len(receipts))
	}
	if sent := len(p.transactions()) - p.before; sent != len(receipts) {
		p.t.Errorf("%d transactions for %d roots", sent, len(receipts))
	}
}
