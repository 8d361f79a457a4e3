package sidecar

import (
	"context"
	"time"

	"google.golang.org/grpc"

	"verbatim/sidecar/capture"
	"verbatim/sidecar/turn"
)

// drain takes no new exchanges and lets those in flight end, within the grace.
func (s *service) drain(server *grpc.Server, processor *capture.Server, turns *turn.Queue) {
	s.logger.Info("stopping: no new exchanges", "grace", s.config.Shutdown.Grace)
	ended := make(chan struct{})
	go func() { // ends with GracefulStop, at the latest after Stop
		server.GracefulStop()
		close(ended)
	}()
	grace := time.NewTimer(s.config.Shutdown.Grace)
	defer grace.Stop()
	select {
	case <-ended:
		return
	case <-grace.C:
	}
	s.logger.Warn("exchanges were still in flight after the grace: those in the pipeline are recorded as aborted",
		"in_pipeline", turns.Running(), "waiting", turns.Waiting())
	processor.Stopping()
	server.Stop()
	<-ended
}

// closeTimeout bounds the last writes and the flush.
const closeTimeout = time.Minute

// close tells what is still to tell, seals the log and says what was left.
func (s *service) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	if err := s.losses.Tell(ctx, s.log); err != nil {
		s.logger.Error("requests passed unrecorded, and the gap could not be recorded", "err", err)
	}
	s.sealSigned(ctx)
	err := s.log.Close(ctx)
	if err == nil {
		s.logger.Info("stopped: the log is sealed", "log", s.config.Log)
	}
	return err
}
