package capture

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/output"
	"verbatim/sidecar/policy"
	"verbatim/sidecar/room"
	"verbatim/sidecar/turn"
)

// Options are a Server's parts and settings. All are required unless said.
type Options struct {
	Log    *auditlog.Log
	Turns  *turn.Queue
	Policy *policy.Policy
	Ignore output.IgnorePolicy
	// ClockHeader and SeedHeader are the names of the headers by which the
	// pipeline reads time and randomness; lower case.
	ClockHeader, SeedHeader string
	// Clock is what the pipeline takes for the time, if it does not read the header:
	// set before a request is let through. May be nil.
	Clock Clock
	// Profile says what becomes of traffic that can't be recorded: in all but
	// PROFILE_STRICT it passes, and is counted in Losses. PROFILE_OBSERVE needs a
	// filter that waits for nothing.
	Profile logv1.Profile
	Losses  *Losses
	// Position is where Envoy's filter is.
	Position logv1.Position
	// MaxEventBytes bounds a body that is recorded whole, in octets, and MaxGather
	// how long a request may take to come whole.
	MaxEventBytes int
	MaxGather     time.Duration
	// Oversize lets larger ones pass that say their length, and records them by
	// count and digest.
	Oversize bool
	// Hold is how long the body of an answer that does not say its length is held,
	// so that it can be recorded whole; 0: not at all.
	Hold time.Duration
	// MaxTurn is how long a stream keeps its turn.
	MaxTurn time.Duration
	// Room bounds the bodies that are in flight.
	Room *room.Room
	// PassUpgrades lets connections pass that are to speak another protocol, and
	// records that they passed; else they are refused.
	PassUpgrades bool
	// Observed is told, in profile observe, that exchanges with this clock of
	// Envoy's were seen, or with a negative number that they are not to be counted:
	// the pipeline never got them. May be nil.
	Observed func(clockMS uint64, exchanges int)
	// Replayed says whether the log holds a request with this clock and seed: a
	// request that brings both is a replay led back here. May be nil.
	Replayed func(clockMS, seed uint64) (bool, error)
	// Seen is told the addresses of each exchange: who answered, and the
	// listener's. May be nil.
	Seen func(upstream, listener string)
	// Ended says why an exchange ended without an answer that ended just now and
	// began at a time: CLIENT_GONE, PIPELINE_RESET or TIMEOUT where that is certain,
	// anything else where not. It may take a moment, and must be bounded. May be nil.
	Ended   func(ctx context.Context, since time.Time) logv1.AbortCause
	Metrics Metrics
	Logger  *slog.Logger
}

// Metrics measures where exchanges wait. Its methods must not block.
type Metrics interface {
	WaitedForTurn(time.Duration)
	WaitedForDisk(time.Duration)
	WaitedForPipeline(time.Duration)
	// Refused counts exchanges that were answered with an error, by reason.
	Refused(reason string)
}

// Server implements ext_proc's ExternalProcessor. Each stream is one exchange.
type Server struct {
	extprocv3.UnimplementedExternalProcessorServer
	Options
	receivers sync.WaitGroup
	stopping  atomic.Bool
	lineup    lineup // in profile observe
}

// New returns a Server.
func New(o Options) *Server { return &Server{Options: o, lineup: lineup{delay: lineupDelay}} }

// failsOpen says whether what can't be recorded passes.
func (s *Server) failsOpen() bool { return s.Profile != logv1.Profile_PROFILE_STRICT }

// Wait returns when no stream is left. The gRPC server must have stopped.
func (s *Server) Wait() { s.receivers.Wait() }

type stream = grpc.BidiStreamingServer[extprocv3.ProcessingRequest, extprocv3.ProcessingResponse]

// Process records one exchange. It returns nil only after Envoy has ended the
// stream: a stream that ends before lets Envoy go on without us, whatever its
// failure mode.
func (s *Server) Process(st stream) error {
	if s.Profile == logv1.Profile_PROFILE_OBSERVE {
		return s.observe(st)
	}
	x := &exchange{server: s, stream: st, backlog: newBacklog()}
	x.messages = s.receive(st, x.backlog)
	x.request.mode = bodyWhole
	defer x.end()
	for {
		more, err := x.next()
		if !more {
			return nil
		}
		if err != nil {
			if ended := st.Context().Err(); ended != nil {
				return status.FromContextError(ended).Err()
			}
			if x.phase == overturned {
				return err // refused, where Envoy takes no answer of ours
			}
			x.failed = true
			s.Logger.Error("exchange failed", "err", err)
			s.Metrics.Refused("internal")
			return status.Error(codes.Internal, "verbatim: the exchange could not be recorded")
		}
	}
}
