package e2e

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stellar/go-stellar-sdk/keypair"

	anchorv1 "verbatim/proto/verbatim/anchor/v1"
	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/anchor"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/stellar"
	"verbatim/tests/mesh"
	"verbatim/tests/soroban"
)

// What the tests pay with, and at most for one transaction, in stroops.
const (
	funds  = 10_000 * 10_000_000
	maxFee = "200000000"
)

// anchoredSite is a site whose roots are published, through a proxy.
type anchoredSite struct {
	*site
	node     *soroban.Node
	proxy    *soroban.Proxy
	contract string
	seed     string
	keyFile  string
	// before is how many transactions there were before anything was published.
	before int
}

// newAnchoredSite deploys the contract and opens a log on it, with the real commands,
// and starts everything. interval 0 is the usual one.
func newAnchoredSite(t *testing.T, interval uint64, serve ...string) *anchoredSite {
	t.Helper()
	a := prepareAnchoredSite(t, interval, serve...)
	a.startSidecar()
	a.startEnvoy()
	return a
}

func prepareAnchoredSite(t *testing.T, interval uint64, serve ...string) *anchoredSite {
	t.Helper()
	writer, err := keypair.Random()
	if err != nil {
		t.Fatal(err)
	}
	a := &anchoredSite{seed: writer.Seed(), keyFile: filepath.Join(t.TempDir(), "writer.key")}
	a.node = soroban.Start(t, soroban.Options{CloseEvery: 200 * time.Millisecond, Accounts: map[string]int64{writer.Address(): funds}})
	a.proxy = soroban.StartProxy(t, a.node)
	if err := os.WriteFile(a.keyFile, []byte(a.seed), 0o600); err != nil {
		t.Fatal(err)
	}
	verbatim := mesh.Binary(t, "./cmd/verbatim")
	out, code, err := mesh.Run(t.Context(), verbatim, append([]string{"anchor", "deploy", "--network", soroban.Passphrase}, a.sending()...)...)
	if err != nil || code != 0 {
		t.Fatalf("deploy: exit %d, %v\n%s", code, err, out)
	}
	words := strings.Fields(out)
	a.contract = words[len(words)-1]
	a.site = prepareSite(t, siteOptions{
		serve: append([]string{
			"--anchor.rpc", a.proxy.URL(), "--anchor.key-file", a.keyFile, "--anchor.max-fee", maxFee, "--anchor.min-interval", "0s",
		}, serve...),
		create: func(dir string) error {
			_, err := auditlog.Create(dir, auditlog.Origin{
				Interval: interval, Anchor: &logv1.Anchor{Network: soroban.Passphrase, Contract: a.contract, Writer: writer.Address()},
			})
			return err
		},
	})
	a.run(0, append([]string{"anchor", "open", "--log", a.log}, a.sending()...)...)
	a.before = len(a.transactions())
	return a
}

// sending are the flags of commands that send a transaction.
func (a *anchoredSite) sending() []string {
	return []string{"--rpc", a.node.URL(), "--key-file", a.keyFile, "--max-fee", maxFee}
}

func (a *anchoredSite) transactions() []soroban.Transaction {
	a.t.Helper()
	list, err := a.node.Transactions(a.t.Context())
	if err != nil {
		a.t.Fatal(err)
	}
	return list
}

// anchorStatus is what verbatim anchor status --json prints.
type anchorStatus struct {
	Checkpoints uint64 `json:"checkpoints"`
	Confirmed   uint64 `json:"confirmed"`
	Covered     uint64 `json:"covered"`
	Pending     uint64 `json:"pending"`
	Fees        int64  `json:"fees_stroops"`
	FailureKind string `json:"failure_kind"`
}

func (a *anchoredSite) status() (s anchorStatus) {
	a.t.Helper()
	a.runJSON(0, &s, "anchor", "status", "--log", a.log)
	return s
}

// settled waits until every checkpoint is confirmed or covered.
func (a *anchoredSite) settled() anchorStatus {
	a.t.Helper()
	var s anchorStatus
	poll(a.t, "every checkpoint is anchored", func() (bool, error) {
		s = a.status()
		return s.Checkpoints > 0 && s.Pending == 0, nil
	})
	return s
}

// publicReport is a report with what the contract or the receipts say.
type publicReport struct {
	report
	Public struct {
		Rung     string  `json:"rung"`
		Through  *uint64 `json:"through"`
		Compared uint64  `json:"compared"`
		NotYet   uint64  `json:"not_yet"`
		Findings []struct {
			Offset uint64 `json:"offset"`
			Code   string `json:"code"`
			Text   string `json:"text"`
		} `json:"findings"`
	} `json:"public"`
}

func (a *anchoredSite) verifyAnchors(code int, log string) (r publicReport) {
	a.t.Helper()
	a.runJSON(code, &r, "verify", "--log", log, "--anchors", "--rpc", a.node.URL(), "--contract", a.contract)
	return r
}

// wantWhole wants one transaction for each root that is on the contract, a receipt
// for each of these, and every checkpoint covered. The log is closed.
func (a *anchoredSite) wantWhole() {
	a.t.Helper()
	receipts, ids := a.receipts()
	client, err := stellar.Dial(a.node.URL(), soroban.Passphrase)
	if err != nil {
		a.t.Fatal(err)
	}
	defer client.Close()
	contract, err := client.Contract(a.contract)
	if err != nil {
		a.t.Fatal(err)
	}
	v, err := auditlog.OpenReadOnly(a.log)
	if err != nil {
		a.t.Fatal(err)
	}
	defer v.Close()
	checkpoints, err := v.Checkpoints(a.t.Context(), 0)
	if err != nil {
		a.t.Fatal(err)
	}
	roots, err := contract.Roots(a.t.Context(), v.ID(), ids)
	if err != nil {
		a.t.Fatal(err)
	}
	next := uint64(0)
	for _, r := range receipts {
		id := r.GetCheckpointId()
		if root, ok := roots[id]; !ok || root.Hash != checkpoints[id].Root {
			a.t.Errorf("checkpoint %d has a receipt, and on the contract %+v, %t", id, root, ok)
		}
		if r.GetFirstCoveredId() != next || len(r.GetEnvelope()) == 0 || len(r.GetResult()) == 0 || r.GetLedger() == 0 || r.GetFeeCharged() == 0 {
			a.t.Errorf("receipt of checkpoint %d, which should cover from %d: %v", id, next, r)
		}
		next = id + 1
	}
	sent := a.transactions()[a.before:]
	for _, tx := range sent {
		if !tx.Success {
			a.t.Errorf("transaction %s failed", tx.Hash)
		}
	}
	if len(sent) != len(receipts) {
		a.t.Errorf("%d transactions for %d receipts", len(sent), len(receipts))
	}
}

func (a *anchoredSite) receipts() (list []*anchorv1.Receipt, ids []uint64) {
	a.t.Helper()
	v, err := auditlog.OpenReadOnly(a.log)
	if err != nil {
		a.t.Fatal(err)
	}
	defer v.Close()
	for r, err := range anchor.Receipts(a.t.Context(), v, 0) {
		if err != nil {
			a.t.Fatal(err)
		}
		list, ids = append(list, r), append(ids, r.GetCheckpointId())
	}
	return list, ids
}

// metric reads one sample from the admin port.
func (a *anchoredSite) metric(name string) float64 {
	a.t.Helper()
	for line := range strings.Lines(a.get("/metrics")) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), name+" "); ok {
			f, err := strconv.ParseFloat(value, 64)
			if err != nil {
				a.t.Fatal(err)
			}
			return f
		}
	}
	a.t.Fatalf("no metric %s", name)
	return 0
}
