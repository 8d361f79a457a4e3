package target

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
