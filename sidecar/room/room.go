// Package room bounds how many octets may be in flight at one time.
//
// A [Room] guarantees that what its shares hold together never exceeds its
// limit, and that nobody waits: what does not fit is told so at once. It does
// not know whether a share's holder really has as many octets, and it is no
// allocator: memory that is used without a share is not seen.
package room

import "sync"

// Room is a number of octets that shares are taken from. It is safe for use by
// many goroutines and has none of its own.
type Room struct {
	limit int64

	mu    sync.Mutex
	taken int64
}

// New returns a Room of so many octets.
func New(octets int64) *Room { return &Room{limit: octets} }

// Take returns a share of n octets, to be released by its holder; or nil and
// false if so many are not free. A negative n is taken for 0.
func (r *Room) Take(n int64) (*Share, bool) {
	n = max(n, 0)
	r.mu.Lock()
	defer r.mu.Unlock()
	if n > r.limit-r.taken {
		return nil, false
	}
	r.taken += n
	return &Share{room: r, octets: n}, true
}

// Limit is how many octets shares can hold together.
func (r *Room) Limit() int64 { return r.limit }

// Taken is how many octets all shares hold.
func (r *Room) Taken() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.taken
}

// Share is a part of a Room. Its methods may be called from any goroutine; on a
// nil Share they do nothing.
type Share struct {
	room *Room
	// Of the room's mutex. A released share holds nothing and gets nothing more.
	octets   int64
	released bool
}

// Resize makes the share n octets large. If so many are not free it returns
// false, and the share stays as it was. A smaller share always fits.
func (s *Share) Resize(n int64) bool {
	if s == nil {
		return true
	}
	n = max(n, 0)
	s.room.mu.Lock()
	defer s.room.mu.Unlock()
	if s.released || n-s.octets > s.room.limit-s.room.taken {
		return false
	}
	s.room.taken += n - s.octets
	s.octets = n
	return true
}

// Release gives the octets back. Only the first call does anything.
func (s *Share) Release() {
	if s == nil {
		return
	}
	s.room.mu.Lock()
	defer s.room.mu.Unlock()
	s.room.taken -= s.octets
	s.octets, s.released = 0, true
}
