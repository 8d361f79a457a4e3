package capture

import (
	"fmt"
	"net/http"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/room"
)

// unknownOctets is taken at first for a body whose length nobody says.
const unknownOctets = 1 << 20

// tooLarge refuses a body by its length; nil when the length is in order.
func (s *Server) tooLarge(what string, status int, length int64) *refusal {
	if length <= int64(s.MaxEventBytes) {
		return nil
	}
	return &refusal{"too-large", status, fmt.Sprintf("%s of %d bytes is larger than max_event_bytes (%d)", what, length, s.MaxEventBytes)}
}

// noRoom says that too much is in flight.
func noRoom(what string) *refusal {
	return &refusal{"no-room", http.StatusServiceUnavailable, what + " finds no room: max_bytes_in_flight are taken"}
}

// holdRoom takes room for a body by what its head says, before the body comes;
// unknown is how much where it says nothing, else 0.
func (s *Server) holdRoom(what string, status int, headers []*logv1.Header) (share *room.Share, unknown int64, refused *refusal) {
	length, known := contentLength(headers)
	if r := s.tooLarge(what, status, length); r != nil {
		return nil, 0, r
	}
	if !known {
		length = min(unknownOctets, int64(s.MaxEventBytes))
		unknown = length
	}
	share, ok := s.Room.Take(length)
	if !ok {
		return nil, 0, noRoom(what)
	}
	return share, unknown, nil
}

// fitRoom corrects the room of a body that is there.
func (s *Server) fitRoom(what string, status int, share *room.Share, length int) *refusal {
	if r := s.tooLarge(what, status, int64(length)); r != nil {
		return r
	}
	if !share.Resize(int64(length)) {
		return noRoom(what)
	}
	return nil
}

// What is too large, in words, and the status that says so.
const (
	aBody       = "a body"
	anAnswer    = "an answer"
	bodyStatus  = http.StatusRequestEntityTooLarge
	replyStatus = http.StatusBadGateway
)
