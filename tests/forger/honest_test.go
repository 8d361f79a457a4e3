package forger

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/anchor"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/chain"
	"verbatim/sidecar/checkpoint"
	"verbatim/sidecar/stellar"
	"verbatim/tests/soroban"
)

// interval is how many entries a full window of the honest log has.
const interval = 50

// honest is a log that others are forged from, and what an auditor has of it. It is
// recorded in three runs: the first signs with the old key, the second with both, the
// third with the new one.
//
//	offsets   0..161  the first run; checkpoints at 50, 100, 150 and, of its end, 161
//	        162..302  the second; checkpoints at 211, 261 and 302
//	        303..473  the third; checkpoints at 352, 402, 452 and 473
//
// Published are the checkpoints at 50, 161, 302 and 402. What the auditor has is of the
// one at 402. Of the pruned one a fourth run prunes what is before 161.
type honest struct {
	dir         string
	id          chain.Hash
	checkpoints []auditlog.CheckpointAt
	// What the auditor kept.
	root string // OFFSET:HASH
	note string // a file with a signed checkpoint
	keys string // a file with the keyring
}

// recorder records a run.
type recorder struct {
	t      *testing.T
	s      *site
	log    *auditlog.Log
	worker *checkpoint.Worker
	wait   []*auditlog.Pending
	// unpublished: a prune entry is not, before it is carried out.
	unpublished bool
}

func (s *site) record(t *testing.T, name string, prune bool) *honest {
	t.Helper()
	h := &honest{dir: filepath.Join(s.dir, name)}
	origin := auditlog.Origin{Interval: interval}
	if s.ledger != nil {
		origin.Anchor = s.ledger.where(s.ledger.contract)
	}
	var err error
	if h.id, err = auditlog.Create(h.dir, origin); err != nil {
		t.Fatal(err)
	}
	s.open(t, h.dir)

	r := s.begin(t, h.dir, s.old)
	r.exchanges(40)
	r.overlap("meter-1", "meter-2")
	r.publish()
	r.exchanges(35)
	r.abort("meter-3")
	r.end(true)

	r = s.begin(t, h.dir, s.old, s.new)
	r.exchanges(30)
	r.put(&logv1.Event{Kind: &logv1.Event_Gap{Gap: &logv1.Gap{Exchanges: 3, Reason: "the disk was full", Witness: "sidecar"}}})
	r.exchanges(36)
	r.overlap("meter-1", "meter-4")
	r.end(true)

	r = s.begin(t, h.dir, s.new)
	r.exchanges(50)
	r.publish()
	r.auditor(h)
	r.exchanges(33)
	r.end(false)
	h.checkpoints = list(t, h.dir)
	if prune {
		s.begin(t, h.dir, s.new).prune(h.checkpoints[3])
	}
	return h
}

// open registers a log on its contract.
func (s *site) open(t *testing.T, dir string) {
	t.Helper()
	if s.ledger != nil {
		s.verbatim(t, append([]string{"anchor", "open", "--log", dir}, s.ledger.sending()...)...)
	}
}

// begin begins a run that signs with keys.
func (s *site) begin(t *testing.T, dir string, keys ...*checkpoint.Key) *recorder {
	t.Helper()
	l, err := auditlog.Open(dir, auditlog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close(context.WithoutCancel(t.Context())) }) // closed already, but for a test that failed
	r := &recorder{t: t, s: s, log: l, worker: checkpoint.New(checkpoint.Options{Log: l, Keys: keys})}
	policy := []byte(`{"version":1}`)
	digest := chain.EventHash(policy)
	start := &logv1.Start{BootId: "boot", CheckpointKeys: r.worker.VerifierKeys(), CapturePolicy: &logv1.Policy{Version: 1, Text: policy, Sha256: digest[:]}}
	placed, err := r.put(&logv1.Event{Kind: &logv1.Event_Start{Start: start}}).Wait(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r.worker.Started(placed.Offset)
	return r
}

func (r *recorder) put(ev *logv1.Event) *auditlog.Pending {
	r.t.Helper()
	d, err := auditlog.NewDraft(ev)
	if err != nil {
		r.t.Fatal(err)
	}
	p := r.log.Append(d)
	r.wait = append(r.wait, p)
	return p
}

// request returns where it stands.
func (r *recorder) request(meter string) uint64 {
	r.t.Helper()
	p, err := r.put(&logv1.Event{Kind: &logv1.Event_Request{Request: &logv1.Request{MeterIds: []string{meter}, HasBody: true, Body: []byte("reading of " + meter)}}}).Wait(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	return p.Offset
}

func (r *recorder) answer(request uint64) {
	r.t.Helper()
	out := append([]byte{0x08, 0xc8, 0x01}, fmt.Sprintf("\x22\x09ok %06d", request)...) // status 200, a body
	r.put(&logv1.Event{Kind: &logv1.Event_Response{Response: &logv1.Response{RequestOffset: request, Output: out}}})
}

func (r *recorder) exchanges(n int) {
	r.t.Helper()
	for i := range n {
		r.answer(r.request(fmt.Sprintf("meter-%d", i%5)))
	}
}

// overlap is two exchanges of which the second ends first.
func (r *recorder) overlap(a, b string) {
	r.t.Helper()
	first, second := r.request(a), r.request(b)
	r.answer(second)
	r.answer(first)
}

func (r *recorder) abort(meter string) {
	r.t.Helper()
	o := r.request(meter)
	r.put(&logv1.Event{Kind: &logv1.Event_Abort{Abort: &logv1.Abort{RequestOffset: o, Delivered: logv1.Delivered_DELIVERED_MAYBE, Reason: "reset"}}})
}

func (r *recorder) durable() {
	r.t.Helper()
	for _, p := range r.wait {
		if _, err := p.Wait(r.t.Context()); err != nil {
			r.t.Fatal(err)
		}
	}
	r.wait = nil
}

// publish signs what is sealed, and publishes the newest root.
func (r *recorder) publish() {
	r.t.Helper()
	r.durable()
	if err := r.worker.SignSynced(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
	if r.s.ledger != nil {
		r.s.ledger.publish(r.t, r.log)
	}
}

// end is a clean stop.
func (r *recorder) end(publish bool) {
	r.t.Helper()
	r.seal(publish)
	r.close()
}

// seal ends recording.
func (r *recorder) seal(publish bool) {
	r.t.Helper()
	r.durable()
	if err := r.log.SealSynced(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
	if err := r.worker.SignSynced(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
	if publish && r.s.ledger != nil {
		r.s.ledger.publish(r.t, r.log)
	}
}

func (r *recorder) close() {
	r.t.Helper()
	if err := r.log.Close(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
}

// publish publishes a log's newest root.
func (l *ledger) publish(t *testing.T, log *auditlog.Log) {
	t.Helper()
	client, err := stellar.Dial(l.node.URL(), soroban.Passphrase)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	contract, err := client.Contract(log.Anchor().GetContract())
	if err != nil {
		t.Fatal(err)
	}
	payer, err := stellar.KeyFile(l.keyFile)
	if err != nil {
		t.Fatal(err)
	}
	w := anchor.New(anchor.Options{
		Log: log, Where: log.Anchor(), Client: client, Contract: contract, Schedule: anchor.Schedule{Every: 1},
		Payment: stellar.Payment{Payer: payer, MaxFee: maxFee, ValidFor: 20 * time.Second}, Sealed: make(chan struct{}),
	})
	if _, err := w.Once(t.Context()); err != nil {
		t.Fatal(err)
	}
}
