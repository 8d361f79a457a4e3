package capture

// Clock is a pipeline's clock that stands still until it is set.
type Clock interface {
	// Set returns after every later look at the clock gives a time, in milliseconds
	// since the Unix epoch.
	Set(ms uint64) error
}

// setClock shows the pipeline the time of a request that is durable and not let
// through. A request that came in at another time than its entry says could not be
// replayed, so what can't be given its time is refused.
func (x *exchange) setClock(ms uint64) (refused bool, err error) {
	if x.server.Clock == nil {
		return false, nil
	}
	if err := x.server.Clock.Set(ms); err != nil {
		x.server.Logger.Error("clock not set", "request", x.offset, "err", err)
		return true, x.refuse("clock", "the pipeline's clock could not be set")
	}
	return false, nil
}
