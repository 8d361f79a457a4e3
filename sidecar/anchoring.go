package sidecar

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"verbatim/sidecar/anchor"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/config"
	"verbatim/sidecar/metrics"
	"verbatim/sidecar/stellar"
)

// validFor is how long a transaction may wait for a ledger: a dozen of them.
const validFor = time.Minute

// anchoring is what publishes the log's roots; nil worker: nothing does.
type anchoring struct {
	client *stellar.Client
	worker *anchor.Worker
}

// newAnchoring makes the worker, if the configuration names a server. It asks
// nothing of the network.
func (s *service) newAnchoring(payment stellar.Payment) error {
	a := s.config.Anchor
	where := s.log.Anchor()
	if a.RPC == "" {
		if where != nil {
			s.logger.Warn("the log is to be anchored, but anchor.rpc is not set: roots are not published", "contract", where.GetContract())
		}
		return nil
	}
	if where == nil {
		return errors.New("anchor.rpc is set, but the log's genesis names no contract: make a log with verbatim init --contract, or remove the setting")
	}
	if signer := writerOf(payment); signer != where.GetWriter() {
		s.logger.Warn("the anchor's key is not that of the writer in the log's genesis: the contract takes it only after a hand-over",
			"key", signer, "writer", where.GetWriter())
	}
	client, err := stellar.Dial(a.RPC, where.GetNetwork())
	if err != nil {
		return fmt.Errorf("anchor.rpc: %w", err)
	}
	contract, err := client.Contract(where.GetContract())
	if err != nil {
		client.Close()
		return fmt.Errorf("read the contract in the log's genesis: %w", err)
	}
	s.anchoring = anchoring{client: client, worker: anchor.New(anchor.Options{
		Log: s.log, Where: where, Client: client, Contract: contract, Payment: payment,
		Sealed: s.sealed, Observer: s.metrics.NewAnchor(), Logger: s.logger,
		Schedule: anchor.Schedule{Every: uint64(a.Every), MinInterval: a.MinInterval, AlarmAfter: a.AlarmAfter},
	})}
	s.metrics.WatchAnchor(s.anchoring.worker.Status)
	return nil
}

// run publishes until ctx ends. It holds nothing up: it may be away for days.
func (a *anchoring) run(ctx context.Context) {
	if a.worker != nil {
		a.worker.Run(ctx)
		a.client.Close()
	}
}

// observer measures what became durable, and tells who signs checkpoints and who
// publishes roots that one was sealed.
type observer struct {
	*metrics.Metrics
	sealed []chan struct{} // each of capacity 1
}

// Durable is called from the writer's goroutine. It does not block.
func (o observer) Durable(entries map[auditlog.Kind]int, took time.Duration) {
	o.Metrics.Durable(entries, took)
	if entries[auditlog.KindCheckpoint] == 0 {
		return
	}
	for _, sealed := range o.sealed {
		select {
		case sealed <- struct{}{}:
		default:
		}
	}
}

// anchorPayment reads the keys, if roots are to be published.
func anchorPayment(a config.Anchor) (stellar.Payment, error) {
	if a.RPC == "" {
		return stellar.Payment{}, nil
	}
	return AnchorPayment(a.KeyFile, a.PayerKeyFile, a.MaxFee)
}

// AnchorPayment reads the keys: from files if they are named, else from the
// environment. Without a payer of its own the writer pays.
func AnchorPayment(keyFile, payerKeyFile string, maxFee int64) (stellar.Payment, error) {
	writer, err := readKey(keyFile, config.EnvAnchorKey)
	if err != nil {
		return stellar.Payment{}, fmt.Errorf("read the anchor's key: %w", err)
	}
	payment := stellar.Payment{Payer: writer, MaxFee: maxFee, ValidFor: validFor}
	if payerKeyFile == "" && os.Getenv(config.EnvAnchorPayerKey) == "" {
		return payment, nil
	}
	payment.Writer = writer
	if payment.Payer, err = readKey(payerKeyFile, config.EnvAnchorPayerKey); err != nil {
		return stellar.Payment{}, fmt.Errorf("read the anchor's payer key: %w", err)
	}
	return payment, nil
}

// writerOf is the account that authorizes commits.
func writerOf(p stellar.Payment) string {
	if p.Writer != nil {
		return p.Writer.Address()
	}
	return p.Payer.Address()
}

func readKey(file, variable string) (stellar.Signer, error) {
	if file != "" {
		return stellar.KeyFile(file)
	}
	return stellar.KeyFromEnv(variable)
}
