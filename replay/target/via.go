package target

// speak is the protocol in which r is sent: the target's or, to an Envoy before
// it, that of the recorded client, whose list Envoy then gives again.
func (t *Target) speak(r *Request) Protocol {
	switch {
	case !t.via:
		return t.protocol
	case r.Protocol == "HTTP/1.1", r.Protocol == "HTTP/2" && t.pipeline == HTTP1 && r.movesCookie():
		return HTTP1
	case r.Protocol == "HTTP/2":
		return HTTP2
	}
	return t.protocol
}

// movesCookie says that Envoy would change the list's order if it came over
// HTTP/2: it puts the cookie last. A pipeline of HTTP/1.1 gets the list in order
// from an HTTP/1.1 client; to one of HTTP/2 the pseudo headers' order would change
// instead.
func (r *Request) movesCookie() bool {
	for i, h := range r.Headers {
		if string(h.GetName()) == "cookie" {
			return i < len(r.Headers)-1
		}
	}
	return false
}

// absolute says that the recorded client's HTTP/1.1 request named the scheme: then
// Envoy lists ":scheme" before ":path".
func (r *Request) absolute() bool {
	for _, h := range r.Headers {
		switch string(h.GetName()) {
		case ":scheme":
			return true
		case ":path":
			return false
		}
	}
	return false
}
