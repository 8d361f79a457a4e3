package target

// IdleEnded says that the kept connection's end has arrived.
func (t *Target) IdleEnded() bool { return t.unreadKept() == unreadEnd }

// IdleData says that data waits on the kept connection.
func (t *Target) IdleData() bool { return t.unreadKept() == unreadData }

func (t *Target) unreadKept() unread {
	switch c := t.kept.(type) {
	case *http1Conn:
		return peek(c.tcp)
	case *http2Conn:
		return peek(c.tcp)
	}
	return unreadNothing
}
