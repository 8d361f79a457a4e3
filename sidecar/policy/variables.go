package policy

import (
	"net/url"
	"strings"

	"github.com/google/cel-go/cel"

	logv1 "verbatim/proto/verbatim/log/v1"
)

// Request is what the expressions see. The policy changes nothing in it and
// keeps nothing of it.
type Request struct {
	// Headers is the list as Envoy shows it, pseudo headers among it.
	Headers []*logv1.Header
	Body    []byte
}

// variables resolves the names in an expression, each computed when it is first
// asked for:
//
//	request.method   string                     the :method pseudo header
//	request.path     string                     :path up to "?", not decoded
//	request.query    map(string, list(string))  decoded; what is malformed is left out
//	request.headers  map(string, string)        by lower-case name, pseudo headers
//	                                            included, duplicates joined with ","
//	request.body     bytes                      empty without a body
//	request.json     dyn                        null unless the body is one JSON text
//
// It serves one evaluation in one goroutine.
type variables struct {
	request Request
	headers map[string]string
	json    *jsonText
}

var _ cel.Activation = (*variables)(nil)

// ResolveName implements cel.Activation.
func (v *variables) ResolveName(name string) (any, bool) {
	switch name {
	case "request.method":
		return v.headerMap()[":method"], true
	case "request.path":
		path, _, _ := strings.Cut(v.headerMap()[":path"], "?")
		return path, true
	case "request.query":
		return v.query(), true
	case "request.headers":
		return v.headerMap(), true
	case "request.body":
		return v.request.Body, true
	case "request.json":
		if v.json == nil {
			v.json = parseJSON(v.request.Body)
		}
		return v.json.value, true
	default:
		return nil, false
	}
}

// Parent implements cel.Activation.
func (v *variables) Parent() cel.Activation { return nil }

func (v *variables) headerMap() map[string]string {
	if v.headers != nil {
		return v.headers
	}
	v.headers = make(map[string]string, len(v.request.Headers))
	for _, h := range v.request.Headers {
		name, value := strings.ToLower(string(h.GetName())), string(h.GetValue())
		if before, ok := v.headers[name]; ok {
			value = before + "," + value
		}
		v.headers[name] = value
	}
	return v.headers
}

// query leaves out what url.ParseQuery reports as malformed.
func (v *variables) query() map[string][]string {
	_, raw, _ := strings.Cut(v.headerMap()[":path"], "?")
	values, _ := url.ParseQuery(raw)
	return values
}
