package evidence

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stellar/go-stellar-sdk/keypair"
	"go.uber.org/goleak"

	"verbatim/contracts"
	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/anchor"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/checkpoint"
	"verbatim/sidecar/output"
	"verbatim/sidecar/stellar"
	"verbatim/tests/soroban"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	interval = 10
	stroops  = 10_000_000
)

// place is a log that is being recorded and signed.
type place struct {
	t      *testing.T
	dir    string
	log    *auditlog.Log
	key    *checkpoint.Key
	signer *checkpoint.Worker
	anchor *ledger // nil: it is not anchored
}

// newPlace makes a log whose entry 1 is a Start.
func newPlace(t *testing.T, l *ledger) *place {
	t.Helper()
	p := &place{t: t, dir: filepath.Join(t.TempDir(), "log"), anchor: l}
	origin := auditlog.Origin{Interval: interval}
	if l != nil {
		origin.Anchor = &logv1.Anchor{Network: soroban.Passphrase, Contract: l.contract.ID(), Writer: l.writer.Address()}
	}
	must(auditlog.Create(p.dir, origin))(t)
	p.key = must(checkpoint.CreateKeySynced(filepath.Join(t.TempDir(), "key"), "example.org/meters"))(t)
	p.open()
	if l != nil {
		l.transact(t, must(l.contract.Open(p.log.ID(), l.writer.Address()))(t))
	}
	p.signer.Started(p.append(&logv1.Event{Kind: &logv1.Event_Start{Start: &logv1.Start{
		BootId: "b", CheckpointKeys: []string{p.key.Public().String()},
	}}}))
	return p
}

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func (p *place) open() {
	p.t.Helper()
	p.log = must(auditlog.Open(p.dir, auditlog.Options{}))(p.t)
	p.t.Cleanup(func() { _ = p.log.Close(context.WithoutCancel(p.t.Context())) })
	p.signer = checkpoint.New(checkpoint.Options{Log: p.log, Keys: []*checkpoint.Key{p.key}, Sealed: make(chan struct{}, 1)})
}

func (p *place) append(ev *logv1.Event) uint64 {
	p.t.Helper()
	d := must(auditlog.NewDraft(ev))(p.t)
	placed := must(p.log.Append(d).Wait(p.t.Context()))(p.t)
	return placed.Offset
}

func field(name, value string) *logv1.Header {
	return &logv1.Header{Name: []byte(name), Value: []byte(value)}
}

func (p *place) request(meter string, trailers bool) uint64 {
	p.t.Helper()
	offset := p.append(&logv1.Event{Kind: &logv1.Event_Request{Request: &logv1.Request{
		MeterIds: []string{meter}, HasBody: true, Body: []byte(`{"kwh":1}`), TrailersFollow: trailers,
		Headers: []*logv1.Header{field(":method", "POST"), field(":path", "/v1/readings"), field("authorization", "Bearer t0psecret")},
	}}})
	if trailers {
		p.append(&logv1.Event{Kind: &logv1.Event_RequestPart{RequestPart: &logv1.RequestPart{
			RequestOffset: offset, Trailers: []*logv1.Header{field("checksum", "1")}, Last: true,
		}}})
	}
	return offset
}

// answer is an output.
func answer(t *testing.T, body string) []byte {
	t.Helper()
	c := must(output.Canonical(output.Message{Status: 200, Body: []byte(body)}, output.DefaultIgnorePolicy()))(t)
	return c.Output
}

func (p *place) response(to uint64) uint64 {
	p.t.Helper()
	return p.append(&logv1.Event{Kind: &logv1.Event_Response{Response: &logv1.Response{
		RequestOffset: to, Output: answer(p.t, fmt.Sprintf(`{"ok":%d}`, to)),
	}}})
}

func (p *place) abort(of uint64) uint64 {
	p.t.Helper()
	return p.append(&logv1.Event{Kind: &logv1.Event_Abort{Abort: &logv1.Abort{
		RequestOffset: of, Delivered: logv1.Delivered_DELIVERED_MAYBE, Reason: "reset",
	}}})
}

// seal closes the open window with gaps, and signs.
func (p *place) seal() {
	p.t.Helper()
	for sealed := p.checkpoints(); p.checkpoints() == sealed; {
		p.gap()
	}
	if err := p.signer.SignSynced(p.t.Context()); err != nil {
		p.t.Fatal(err)
	}
}

func (p *place) checkpoints() int {
	p.t.Helper()
	v := p.view()
	defer v.Close()
	return len(must(v.Checkpoints(p.t.Context(), 0))(p.t))
}

func (p *place) gap() uint64 {
	p.t.Helper()
	return p.append(&logv1.Event{Kind: &logv1.Event_Gap{Gap: &logv1.Gap{Exchanges: 1}}})
}

// view is of the log, or of the closed one.
func (p *place) view() *auditlog.View {
	p.t.Helper()
	if v, err := p.log.View(); err == nil {
		return v
	}
	return must(auditlog.OpenReadOnly(p.dir))(p.t)
}

// prove makes evidence, which has to be read again as it was.
func (p *place) prove(offset uint64, o Options) *File {
	p.t.Helper()
	return must(Parse(must(p.try(offset, o))(p.t).Bytes()))(p.t)
}

func (p *place) try(offset uint64, o Options) (*File, error) {
	p.t.Helper()
	v := p.view()
	defer v.Close()
	return Prove(p.t.Context(), v, offset, o)
}

// publish anchors the newest checkpoint.
func (p *place) publish() {
	p.t.Helper()
	w := anchor.New(anchor.Options{
		Log: p.log, Where: p.log.Anchor(), Client: p.anchor.client, Contract: p.anchor.contract, Payment: p.anchor.payment(),
	})
	must(w.Once(p.t.Context()))(p.t)
}

// ledger is a node, and a contract on it.
type ledger struct {
	client   *stellar.Client
	contract *stellar.Contract
	writer   stellar.Signer
}

func newLedger(t *testing.T) *ledger {
	t.Helper()
	file := filepath.Join(t.TempDir(), "writer")
	if err := os.WriteFile(file, []byte(keypair.MustRandom().Seed()), 0o600); err != nil {
		t.Fatal(err)
	}
	l := &ledger{writer: must(stellar.KeyFile(file))(t)}
	node := soroban.Start(t, soroban.Options{CloseEvery: 100 * time.Millisecond, Accounts: map[string]int64{l.writer.Address(): 1000 * stroops}})
	l.client = must(stellar.Dial(node.URL(), soroban.Passphrase))(t)
	t.Cleanup(l.client.Close)
	l.transact(t, stellar.Upload(contracts.Wasm))
	create, id, err := l.client.Create(contracts.Hash, l.writer.Address(), [32]byte{9})
	if err != nil {
		t.Fatal(err)
	}
	l.transact(t, create)
	l.contract = must(l.client.Contract(id))(t)
	return l
}

func (l *ledger) payment() stellar.Payment {
	return stellar.Payment{Payer: l.writer, MaxFee: 50 * stroops, ValidFor: time.Minute}
}

func (l *ledger) transact(t *testing.T, op stellar.Operation) {
	t.Helper()
	tx, err := l.client.Prepare(t.Context(), op, l.payment())
	if err == nil {
		err = l.client.Send(t.Context(), tx.Envelope)
	}
	if err != nil {
		t.Fatal(err)
	}
	if out, err := l.client.Await(t.Context(), tx); err != nil || out.Status != stellar.Success {
		t.Fatalf("%s: %+v, %v", op, out, err)
	}
}
