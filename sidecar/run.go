package sidecar

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/admin"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/capture"
	"verbatim/sidecar/config"
	"verbatim/sidecar/metrics"
	"verbatim/sidecar/output"
	"verbatim/sidecar/policy"
	"verbatim/sidecar/retention"
	"verbatim/sidecar/room"
	"verbatim/sidecar/turn"
)

// Run records until ctx ends, then stops: it takes no new exchanges, finishes
// those in flight within the configured grace, seals the log and returns after
// that is durable. version is verbatim's own.
func Run(ctx context.Context, c config.Config, version string, logger *slog.Logger) error {
	rules, err := policy.New(policy.Options{
		Meters: c.Capture.Meters, Skip: c.Capture.Skip, Stream: c.Capture.Stream, Types: c.Stream.Types,
	})
	if err != nil {
		return err
	}
	ignore, err := ReadIgnorePolicy(c.Ignore)
	if err != nil {
		return err
	}
	payment, err := anchorPayment(c.Anchor)
	if err != nil {
		return err
	}
	if err := checkArchive(c.Archive.URL); err != nil {
		return err
	}
	keys, err := readCheckpointKeys(c.Checkpoint.KeyFiles)
	if err != nil {
		return err
	}
	clock, err := openClock(c.FrozenClock)
	if err != nil {
		return err
	}
	// A start that fails for an address changes nothing in the log.
	if err := auditlog.Available(c.Log); err != nil {
		return err
	}
	l, err := listen(ctx, c)
	if err != nil {
		return err
	}
	registry := prometheus.NewRegistry()
	m, sealed, toSign := metrics.New(registry), make(chan struct{}, 1), make(chan struct{}, 1)
	log, err := auditlog.Open(c.Log, auditlog.Options{
		MaxAge: c.Seal.MaxAge, FailOpen: c.Profile != "strict", Logger: logger, Observer: observer{m, []chan struct{}{sealed, toSign}},
	})
	if err != nil {
		return errors.Join(err, l.close())
	}
	s := &service{
		config: c, version: version, logger: logger, log: log, policy: rules, ignore: ignore,
		clock: clock, registry: registry, metrics: m, bootID: rand.Text(), captured: newAddresses(c.Pipeline.Address), losses: &capture.Losses{},
		room: room.New(c.MaxBytesInFlight), sealed: sealed, toSign: toSign,
	}
	s.watch = &envoyWatch{
		admin: c.Envoy.Admin, log: log, losses: s.losses, logger: logger,
		changed: s.recordStart, version: c.Envoy.Version, since: time.Now(),
	}
	if c.Profile == "observe" {
		s.watch.cross = &crossCheck{log: log, losses: s.losses, shown: &s.shown}
	} else if c.Envoy.Admin != "" {
		s.watch.ends = &ends{watch: s.watch}
	}
	s.newSigning(keys)
	if err := s.newAnchoring(payment); err != nil {
		return errors.Join(err, l.close(), s.close())
	}
	if err := s.newArchiving(ctx, keys); err != nil {
		return errors.Join(err, l.close(), s.close())
	}
	s.newRetention()
	return errors.Join(s.serve(ctx, l), s.close())
}

// listeners are where the process can be reached.
type listeners struct{ socket, admin net.Listener }

func listen(ctx context.Context, c config.Config) (listeners, error) {
	socket, err := listenSocket(ctx, c.Socket)
	if err != nil {
		return listeners{}, err
	}
	var listening net.ListenConfig
	adminPort, err := listening.Listen(ctx, "tcp", c.Admin)
	if err != nil {
		return listeners{}, errors.Join(fmt.Errorf("listen on admin port %s: %w; name another address", c.Admin, err), socket.Close())
	}
	return listeners{socket, adminPort}, nil
}

func (l listeners) close() error { return errors.Join(l.socket.Close(), l.admin.Close()) }

// service is one recording process.
type service struct {
	config   config.Config
	version  string
	logger   *slog.Logger
	log      *auditlog.Log
	policy   *policy.Policy
	ignore   output.IgnorePolicy
	clock    capture.Clock // nil: the pipeline has the system's
	registry *prometheus.Registry
	metrics  *metrics.Metrics
	captured *addresses
	losses   *capture.Losses
	room     *room.Room
	watch    *envoyWatch
	shown    observed // in profile observe
	bootID   string
	// sealed and toSign get a value when a checkpoint was sealed.
	sealed, toSign chan struct{}
	anchoring      anchoring
	signing        signing
	retention      *retention.Worker
	archiving      archiving
}

// serve runs the servers until ctx ends or one of them fails.
func (s *service) serve(ctx context.Context, l listeners) error {
	if err := s.begin(ctx, l.admin.Addr().String()); err != nil {
		return errors.Join(err, l.close())
	}
	defer s.forgetAddress()
	s.logger.Info("serving", "log", s.config.Log, "log_id", s.log.ID().String(), "socket", s.config.Socket,
		"admin", l.admin.Addr().String(), "ordering", s.config.Ordering, "profile", s.config.Profile)
	// The admin port answers until the last exchange has ended.
	adminCtx, stopAdmin := context.WithCancel(context.WithoutCancel(ctx))
	defer stopAdmin()
	group, failed := errgroup.WithContext(ctx)
	group.Go(func() error { return s.admin().Serve(adminCtx, l.admin) })
	group.Go(func() error { s.watch.run(failed); return nil })
	group.Go(func() error { s.anchoring.run(failed); return nil })
	group.Go(func() error { s.signing.run(failed); return nil })
	group.Go(func() error { s.retention.Run(failed); return nil })
	group.Go(func() error { return s.archiving.run(failed) })
	group.Go(func() error {
		defer stopAdmin()
		return s.capture(failed, l.socket)
	})
	err := group.Wait()
	s.watch.lastLook(context.WithoutCancel(ctx))
	return err
}

// begin records that recording starts, before anything can come in.
func (s *service) begin(ctx context.Context, adminAddress string) error {
	if s.config.Envoy.Admin != "" {
		if state, err := s.watch.ask(ctx); err == nil {
			s.watch.version = state.version
		}
	}
	s.signing.begin(ctx)
	if err := s.recordStart(ctx, s.watch.version); err != nil {
		return err
	}
	if err := s.watch.cross.begin(); err != nil {
		return err
	}
	return admin.WriteAddress(s.config.Log, adminAddress, s.log.ID())
}

func (s *service) forgetAddress() {
	if err := admin.RemoveAddress(s.config.Log); err != nil {
		s.logger.Warn("admin address not removed", "err", err)
	}
}

func (s *service) admin() *admin.Server {
	targets := map[string]admin.Target{}
	for name, t := range s.config.Replay.Targets {
		targets[name] = admin.Target{URL: t.URL, Image: t.Image}
	}
	return admin.New(admin.Options{
		Log: s.log, Profile: s.config.LogProfile(), Ordering: s.config.LogOrdering(), Position: s.config.LogPosition(), Targets: targets,
		Captured: s.captured.list, Untold: s.losses.Untold, Room: s.room, Anchor: s.anchoring.worker, Retention: s.retention, Registry: s.registry, Logger: s.logger,
	})
}

// grpcOverhead is room beside a body in one ext_proc message.
const grpcOverhead = 1 << 20

// streamWindow is the least that HTTP/2 and gRPC allow: a thousand streams that
// wait to be read hold 64 MiB.
const streamWindow = 64 << 10

// capture serves ext_proc until ctx ends, and returns when no exchange is left.
func (s *service) capture(ctx context.Context, socket net.Listener) error {
	turns := turn.New(turn.Options{
		Ordering: s.config.LogOrdering(), MaxWaiting: s.config.Queue.MaxWaiting, MaxWait: s.config.Queue.MaxWait,
	})
	s.metrics.WatchTurns(turns.Waiting, turns.Running)
	s.metrics.WatchLog(s.log.Writable)
	s.metrics.WatchRoom(s.room.Taken, s.room.Limit())
	replays := &recorded{log: s.log, seedHeader: s.config.SeedHeader}
	var ended func(context.Context, time.Time) logv1.AbortCause
	if s.watch.ends != nil {
		ended = s.watch.ends.cause
	}
	processor := capture.New(capture.Options{
		Ended: ended,
		Log:   s.log, Turns: turns, Policy: s.policy, Ignore: s.ignore,
		ClockHeader: s.config.ClockHeader, SeedHeader: s.config.SeedHeader, Clock: s.clock,
		Profile: s.config.LogProfile(), Position: s.config.LogPosition(), Losses: s.losses,
		MaxEventBytes: s.config.MaxEventBytes, MaxGather: s.config.MaxGather, Room: s.room,
		Oversize: s.config.Oversize == "digest", Hold: s.config.Stream.Hold, MaxTurn: s.config.Stream.MaxTurn,
		PassUpgrades: s.config.Upgrades == "pass", Observed: s.shown.see,
		Replayed: replays.holds, Seen: s.captured.see, Metrics: s.metrics, Logger: s.logger,
	})
	server := grpc.NewServer(
		grpc.Creds(capture.Links()),
		grpc.MaxRecvMsgSize(s.config.MaxEventBytes+grpcOverhead),
		grpc.MaxSendMsgSize(s.config.MaxEventBytes+grpcOverhead),
		// What a stream may send before it is read; gRPC widens it for a message that
		// is being read.
		grpc.InitialWindowSize(streamWindow), grpc.InitialConnWindowSize(8<<20),
		// An exchange that is stopped still records how it ended.
		grpc.WaitForHandlers(true),
	)
	extprocv3.RegisterExternalProcessorServer(server, processor)
	served := make(chan error, 1)
	go func() { served <- server.Serve(socket) }() // ends with Stop, below
	var err error
	select {
	case err = <-served:
	case <-ctx.Done():
		s.drain(server, processor, turns)
		// Stopped before it had begun to serve.
		if err = <-served; errors.Is(err, grpc.ErrServerStopped) {
			err = nil
		}
	}
	server.Stop()
	processor.Wait()
	if err != nil {
		return fmt.Errorf("serve ext_proc: %w", err)
	}
	return nil
}
