package e2e

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"golang.org/x/net/http2"
	"google.golang.org/protobuf/proto"
)

// release has the lines of a trace on which the first octet of a releasing reply
// was about to be written; 0: there was no such reply.
type release struct{ request, answer int }

// tracedReleases reads the sidecar's replies to Envoy, which are all that it
// writes to sockets. An exchange is named by the seed that its request was given.
func tracedReleases(files map[string]*tracedFile) (map[string]release, error) {
	released := map[string]release{}
	for name, f := range files {
		if !strings.HasPrefix(name, "socket:") {
			continue
		}
		if err := f.releases(released); err != nil {
			return nil, fmt.Errorf("read replies on %s: %w", name, err)
		}
	}
	return released, nil
}

// releases reads the server's side of one HTTP/2 connection. Each of its streams
// is one exchange.
func (f *tracedFile) releases(into map[string]release) error {
	seeds := map[uint32]string{}
	rest := bytes.NewReader(f.octets)
	framer := http2.NewFramer(io.Discard, rest)
	for {
		at := len(f.octets) - rest.Len()
		frame, err := framer.ReadFrame()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		data, ok := frame.(*http2.DataFrame)
		if !ok || len(data.Data()) == 0 {
			continue
		}
		reply, err := decodeReply(data.Data())
		if err != nil {
			return err
		}
		line, stream := f.writeOf(at).began, data.StreamID
		if seed := replySeed(reply); seed != "" {
			seeds[stream] = seed
			into[seed] = release{request: line}
		}
		// The pipeline's answers have a body and no trailers: the reply to the body
		// lets the answer go.
		if reply.GetResponseBody() != nil {
			into[seeds[stream]] = release{request: into[seeds[stream]].request, answer: line}
		}
	}
}

// decodeReply reads the one gRPC message that a small reply's DATA frame holds.
func decodeReply(data []byte) (*extprocv3.ProcessingResponse, error) {
	const prefix = 5 // compressed or not, and the length
	if len(data) < prefix || data[0] != 0 || int(binary.BigEndian.Uint32(data[1:])) != len(data)-prefix {
		return nil, fmt.Errorf("a frame of %d octets is not one message", len(data))
	}
	reply := new(extprocv3.ProcessingResponse)
	return reply, proto.Unmarshal(data[prefix:], reply)
}

// replySeed is the seed that a reply gives a request, empty if it gives none.
func replySeed(r *extprocv3.ProcessingResponse) string {
	common := r.GetRequestBody().GetResponse()
	if common == nil {
		common = r.GetRequestHeaders().GetResponse()
	}
	for _, h := range common.GetHeaderMutation().GetSetHeaders() {
		if h.GetHeader().GetKey() == seedHeader {
			return string(h.GetHeader().GetRawValue())
		}
	}
	return ""
}
