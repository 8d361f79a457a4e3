package capture

import (
	"errors"
	"io"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// maxAhead is how many messages are taken before they are handled: as many as
// are recorded in one go.
const maxAhead = 16

// message is what Envoy sent.
type message struct {
	*extprocv3.ProcessingRequest
	counted int64 // octets, by the backlog
}

// receive starts the stream's receiver, so that the end of the stream is seen
// while the exchange waits. The goroutine ends when Recv fails, which it does at
// the latest when Process returns; the channel is closed then.
func (s *Server) receive(st stream, b *backlog) <-chan message {
	messages := make(chan message, maxAhead)
	s.receivers.Go(func() {
		defer close(messages)
		for {
			m, err := st.Recv()
			if err != nil {
				// Canceled is how Envoy ends most streams; what the exchange lacks
				// then is decided by the messages that came.
				if !errors.Is(err, io.EOF) && status.Code(err) != codes.Canceled {
					s.Logger.Debug("stream ended", "err", err)
				}
				return
			}
			select {
			case messages <- b.take(st.Context(), m):
			case <-st.Context().Done():
				return
			}
		}
	})
	return messages
}
