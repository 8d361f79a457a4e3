package golden

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	anchorv1 "verbatim/proto/verbatim/anchor/v1"
	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/backup"
	"verbatim/sidecar/chain"
	"verbatim/sidecar/checkpoint"
	"verbatim/sidecar/output"
	"verbatim/tests/forge"
)

// The key that signed the golden log. It signs nothing else.
const (
	signingKey  = "PRIVATE+KEY+golden.example/log+6838735e+AZngpvgoi5V5UwQKIQTQUkdj1CDtSubGrXUX7FLWdQm9\n"
	verifierKey = "golden.example/log+6838735e+AQMTgZkn08AUBrTa17I/kXvKMWEtqfLeELPkBSH6Fspu"
)

// begun is the clock of the genesis; each entry is a second younger than the one before.
var begun = time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)

// maker writes the golden log.
type maker struct {
	t       *testing.T
	dir     string
	seconds atomic.Int64
	log     *auditlog.Log
	newest  uint64
	ordered uint64 // the Prune entry
}

// make makes the golden log in testdata anew.
func makeGolden(t *testing.T, to string) {
	t.Helper()
	m := &maker{t: t, dir: filepath.Join(t.TempDir(), "log")}
	_, err := auditlog.Create(m.dir, auditlog.Origin{
		Interval:    64,
		Anchor:      &logv1.Anchor{Network: "Test SDF Network ; September 2015", Contract: "C" + string(bytes.Repeat([]byte("A"), 55)), Writer: "G" + string(bytes.Repeat([]byte("A"), 55))},
		Predecessor: &logv1.Predecessor{LogId: bytes.Repeat([]byte{2}, chain.Size), ChainRoot: bytes.Repeat([]byte{3}, chain.Size)},
	})
	m.must(err)
	m.must(forge.Rewrite(m.dir, func(_ uint64, ev *logv1.Event) error {
		ev.WallClockMs = uint64(begun.UnixMilli())
		ev.GetGenesis().LogId = bytes.Repeat([]byte{1}, chain.Size)
		return nil
	}))
	m.run(func() {
		m.exchanges(70)
		m.oddities()
		m.exchanges(90)
	})
	m.run(m.order)
	m.run(func() { m.cut(); m.exchanges(40) })
	m.must(os.RemoveAll(to))
	_, err = backup.TakeSynced(t.Context(), backup.Options{From: m.dir, To: to})
	m.must(err)
}

func (m *maker) must(err error) {
	m.t.Helper()
	if err != nil {
		m.t.Fatal(err)
	}
}

// run is one process that records, with its Start, and stops cleanly.
func (m *maker) run(record func()) {
	m.t.Helper()
	var err error
	m.log, err = auditlog.Open(m.dir, auditlog.Options{Now: func() time.Time { return begun.Add(time.Duration(m.seconds.Load()) * time.Second) }})
	m.must(err)
	secret := filepath.Join(m.t.TempDir(), "key")
	m.must(os.WriteFile(secret, []byte(signingKey), 0o600))
	key, err := checkpoint.KeyFile(secret)
	m.must(err)
	signer := checkpoint.New(checkpoint.Options{Log: m.log, Keys: []*checkpoint.Key{key}})
	text := []byte(`{"version":1}`)
	digest := chain.EventHash(text)
	signer.Started(m.put(&logv1.Event{Kind: &logv1.Event_Start{Start: &logv1.Start{
		BootId: fmt.Sprint("boot-", m.newest), VerbatimVersion: "v1", EnvoyVersion: "1.40.0",
		Pipeline: &logv1.Pipeline{Name: "meters", ImageDigest: "sha256:aa", ImageEvidence: logv1.Evidence_EVIDENCE_DECLARED, Protocol: "http/1.1"},
		Workload: &logv1.Workload{Pod: "pod-0", Node: "node-0", Identity: "spiffe://example/meters"},
		Ordering: logv1.Ordering_ORDERING_METER, Profile: logv1.Profile_PROFILE_FAIL_OPEN,
		CapturePolicy: &logv1.Policy{Version: 1, Text: text, Sha256: digest[:]}, IgnorePolicy: output.DefaultIgnorePolicy().Policy(),
		CheckpointKeys: []string{verifierKey},
	}}}))
	record()
	m.must(m.log.SealSynced(m.t.Context()))
	m.must(signer.SignSynced(m.t.Context()))
	m.must(m.log.Close(m.t.Context()))
}

func (m *maker) put(ev *logv1.Event) uint64 {
	m.t.Helper()
	m.seconds.Add(1)
	d, err := auditlog.NewDraft(ev)
	m.must(err)
	p, err := m.log.Append(d).Wait(m.t.Context())
	m.must(err)
	m.newest = p.Offset
	return p.Offset
}

func (m *maker) request(i int) uint64 {
	body := fmt.Appendf(nil, `{"meter_id":"m%d","kwh":%d.50}`, i%5, i)
	return m.put(&logv1.Event{Kind: &logv1.Event_Request{Request: &logv1.Request{
		MeterIds: []string{fmt.Sprint("m", i%5)},
		Headers: []*logv1.Header{
			header(":method", "POST"), header(":path", "/v1/readings"), header(":authority", "meters.example"), header(":scheme", "http"),
			header("content-length", fmt.Sprint(len(body))), header("x-verbatim-clock-ms", "1772359201000"), header("x-verbatim-seed", fmt.Sprint(i)),
		},
		HasBody: true, Body: body, Protocol: "HTTP/1.1", Source: &logv1.Source{Address: "127.0.0.1:40000", TlsPeer: "spiffe://example/client"},
	}}})
}

func header(name, value string) *logv1.Header {
	return &logv1.Header{Name: []byte(name), Value: []byte(value)}
}

func (m *maker) respond(to uint64, status int, reply *logv1.LocalReply) {
	c, err := output.Canonical(output.Message{Status: status, Headers: []*logv1.Header{
		header("content-type", "application/json"), header("date", "Sun, 01 Mar 2026 10:00:00 GMT"),
	}, Body: fmt.Appendf(nil, `{"to":%d}`, to)}, output.DefaultIgnorePolicy())
	m.must(err)
	m.put(&logv1.Event{Kind: &logv1.Event_Response{Response: &logv1.Response{
		RequestOffset: to, Output: c.Output, IgnoredHeaders: c.Ignored,
		UpstreamAddress: "127.0.0.1:8080", AttemptCount: 1, LocalReply: reply,
	}}})
}

func (m *maker) exchanges(n int) {
	for i := range n {
		status := 200
		if i%9 == 8 {
			status = 404
		}
		m.respond(m.request(i), status, nil)
	}
}

// oddities are all the other kinds of events, and what is kept beside the chain.
func (m *maker) oddities() {
	r := m.request(1)
	m.put(&logv1.Event{Kind: &logv1.Event_RequestPart{RequestPart: &logv1.RequestPart{RequestOffset: r, Trailers: []*logv1.Header{header("digest", "x")}, Last: true}}})
	m.put(&logv1.Event{Kind: &logv1.Event_ResponsePart{ResponsePart: &logv1.ResponsePart{RequestOffset: r, Data: []byte("part")}}})
	m.put(&logv1.Event{Kind: &logv1.Event_Abort{Abort: &logv1.Abort{RequestOffset: r, Delivered: logv1.Delivered_DELIVERED_MAYBE, Reason: "the client went away"}}})
	m.respond(m.request(2), 503, &logv1.LocalReply{CodeDetails: "upstream_reset", ResponseFlags: 4, Delivered: logv1.Delivered_DELIVERED_MAYBE})
	m.put(&logv1.Event{Kind: &logv1.Event_Gap{Gap: &logv1.Gap{SinceMs: uint64(begun.UnixMilli()), Exchanges: 3, Reason: "the sidecar was away", Witness: "envoy"}}})
	m.log.Skip("health check")
	// No ledger has seen this: it is here for its form.
	receipt, err := proto.Marshal(&anchorv1.Receipt{CheckpointId: 1, Offset: 128, Root: bytes.Repeat([]byte{4}, chain.Size), Ledger: 7, ClosedAt: begun.Unix()})
	m.must(err)
	m.must(m.log.KeepSynced(m.t.Context(), auditlog.Record{Key: []byte("anchor/receipt/\x00\x00\x00\x00\x00\x00\x00\x01"), Value: receipt}))
}

// order writes the entry by which the log is cut at its second checkpoint. The stop
// seals it.
func (m *maker) order() {
	v, err := m.log.View()
	m.must(err)
	defer v.Close()
	c, err := v.Checkpoint(1)
	m.must(err)
	policy := auditlog.PrunePolicy{Keep: 90 * 24 * time.Hour, Clock: auditlog.PruneByLedger, Cut: auditlog.PruneAnchored}
	digest := sha256.New()
	for e, err := range v.Entries(m.t.Context(), 0, c.Offset) {
		m.must(err)
		kind, _, err := auditlog.Peek(e.Raw)
		m.must(err)
		if kind == auditlog.KindGenesis || kind == auditlog.KindStart || kind == auditlog.KindCheckpoint {
			hash := e.Hash()
			digest.Write(hash[:])
			policy.Kept++
		}
	}
	policy.KeptHash = chain.Hash(digest.Sum(nil))
	m.ordered = m.put(&logv1.Event{Kind: &logv1.Event_Prune{Prune: &logv1.Prune{LastOffset: c.Offset, Root: c.Root[:], Policy: policy.String()}}})
}

// cut carries it out.
func (m *maker) cut() {
	m.must(m.log.CutSynced(m.t.Context(), m.ordered))
	m.must(m.log.ClearCut(m.t.Context()))
}
