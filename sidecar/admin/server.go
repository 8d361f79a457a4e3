package admin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthgrpc "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/reflection"
	"google.golang.org/grpc/status"

	auditv1 "verbatim/proto/verbatim/audit/v1"
	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/anchor"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/gaps"
	"verbatim/sidecar/retention"
	"verbatim/sidecar/room"
)

// Options are a Server's parts and what it says of the recording. All are
// required unless said.
type Options struct {
	Log      *auditlog.Log
	Profile  logv1.Profile
	Ordering logv1.Ordering
	Position logv1.Position
	// Targets of replays, by the name that a request gives.
	Targets map[string]Target
	// Captured are the addresses, "host:port", that are being captured now.
	// It is called from any goroutine.
	Captured func() []string
	// Untold is what passed unrecorded and no Gap entry says yet. It is called from
	// any goroutine.
	Untold func() []gaps.Loss
	// Room bounds what is in flight.
	Room *room.Room
	// Anchor publishes the log's roots; nil: nobody does.
	Anchor *anchor.Worker
	// Retention prunes the log and keeps its holds.
	Retention *retention.Worker
	Registry  *prometheus.Registry
	Logger    *slog.Logger
}

// Target is an instance of the pipeline into which requests may be replayed.
type Target struct {
	// URL as target.New takes it; without a scheme the recorded protocol is used.
	URL string
	// Image is the digest that it is declared to run; may be empty.
	Image string
}

// Bounds of the server. A stream may last as long as its replay does, so there
// is none for a whole request or answer.
const (
	headerTimeout = 10 * time.Second
	idleTimeout   = 2 * time.Minute
	// A client that is gone without a word is noticed by these two.
	pingAfter   = 30 * time.Second
	pingTimeout = 15 * time.Second
	// stopTimeout is for the calls under way when the server stops.
	stopTimeout = 5 * time.Second
)

// errStopping ends the streams under way.
var errStopping = errors.New("the sidecar is stopping")

// Server is the admin port.
type Server struct {
	options  Options
	grpc     *grpc.Server
	health   *healthService
	stopping context.Context
	stop     context.CancelCauseFunc
}

// New makes a Server. It starts nothing.
func New(o Options) *Server {
	stopping, stop := context.WithCancelCause(context.Background())
	s := &Server{options: o, health: newHealth(o.Log), stopping: stopping, stop: stop}
	s.grpc = grpc.NewServer(grpc.WaitForHandlers(true), grpc.StreamInterceptor(s.untilStop))
	auditv1.RegisterAuditServiceServer(s.grpc, &service{Options: o, busy: busy{}})
	healthgrpc.RegisterHealthServer(s.grpc, s.health)
	reflection.Register(s.grpc)
	return s
}

// Serve answers on ln until ctx ends, and then returns after the last call did:
// at once for streams, which are told so, within seconds for the rest. It closes
// ln. The error is that of accepting connections. A Server serves once.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	calls, cut := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cut(nil)
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	server := &http.Server{
		Handler:           s.handler(),
		Protocols:         &protocols,
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       idleTimeout,
		HTTP2:             &http.HTTP2Config{SendPingTimeout: pingAfter, PingTimeout: pingTimeout},
		ErrorLog:          slog.NewLogLogger(s.options.Logger.Handler(), slog.LevelDebug),
		BaseContext:       func(net.Listener) context.Context { return calls },
	}
	stopped := make(chan struct{})
	go func() { // ends after ctx or the accepting did, and the calls
		defer close(stopped)
		s.health.follow(calls, ctx.Done())
		s.shutDown(calls, server, cut)
	}()
	err := server.Serve(ln)
	if !errors.Is(err, http.ErrServerClosed) {
		cut(err)
	}
	<-stopped
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("serve admin port %s: %w", ln.Addr(), err)
}

// shutDown ends all calls and returns when no handler runs any more.
func (s *Server) shutDown(calls context.Context, server *http.Server, cut context.CancelCauseFunc) {
	s.stop(errStopping)
	bounded, cancel := context.WithTimeout(context.WithoutCancel(calls), stopTimeout)
	defer cancel()
	if err := server.Shutdown(bounded); err != nil {
		s.options.Logger.Warn("admin calls were cut off", "after", stopTimeout, "err", err)
	}
	cut(errStopping)
	server.Close() //nolint:errcheck // its connections are given up
	s.grpc.Stop()
}

// untilStop ends a stream when the server stops: it may be one that waits for
// that alone.
func (s *Server) untilStop(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	ctx, cancel := context.WithCancelCause(stream.Context())
	defer cancel(nil)
	defer context.AfterFunc(s.stopping, func() { cancel(errStopping) })()
	err := handler(srv, stoppable{stream, ctx})
	if err != nil && errors.Is(context.Cause(ctx), errStopping) {
		return status.Error(codes.Unavailable, errStopping.Error())
	}
	return err
}

// stoppable is a stream whose context ends with the server, too.
type stoppable struct {
	grpc.ServerStream
	ctx context.Context
}

// Context is the call's.
func (s stoppable) Context() context.Context { return s.ctx }
