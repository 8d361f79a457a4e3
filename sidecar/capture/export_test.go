package capture

import "time"

// LineUpWithin makes observed requests wait so long for earlier ones. It is called before
// any comes.
func (s *Server) LineUpWithin(d time.Duration) { s.lineup.delay = d }
