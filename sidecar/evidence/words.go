package evidence

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"strconv"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/output"
	"verbatim/sidecar/secret"
)

// words says what an entry is. What comes from outside is quoted.
func (e *item) words() string {
	switch e.kind {
	case auditlog.KindGenesis:
		return e.genesisWords()
	case auditlog.KindRequest:
		q := e.event.GetRequest()
		return fmt.Sprintf("a request, %q %q with %s", pseudo(q, ":method"), secret.Target(pseudo(q, ":path")), requestBodyWords(q))
	case auditlog.KindResponse:
		return e.responseWords()
	case auditlog.KindAbort:
		a := e.event.GetAbort()
		return fmt.Sprintf("an abort of request %d (%s: %q)", a.GetRequestOffset(), deliveredWords[a.GetDelivered()], a.GetReason())
	}
	return kindWords[e.kind]
}

var deliveredWords = map[logv1.Delivered]string{
	logv1.Delivered_DELIVERED_UNSPECIFIED: "nothing said of its delivery",
	logv1.Delivered_DELIVERED_NO:          "never let through",
	logv1.Delivered_DELIVERED_MAYBE:       "the pipeline may have got it",
}

func (e *item) genesisWords() string {
	g := e.event.GetGenesis()
	text := fmt.Sprintf("the genesis of log %x", g.GetLogId())
	if a := g.GetAnchor(); a != nil {
		text += fmt.Sprintf(", anchored on contract %q of the network %q by writer %q", a.GetContract(), a.GetNetwork(), a.GetWriter())
	}
	return text
}

func (e *item) responseWords() string {
	response := e.event.GetResponse()
	by := ""
	if response.GetLocalReply() != nil {
		by = ", given by Envoy itself,"
	}
	hash := sha256.Sum256(response.GetOutput())
	out, err := decodeOutput(response.GetOutput())
	if err != nil {
		return fmt.Sprintf("a response%s with an output that can't be read and has the output hash %x", by, hash)
	}
	return fmt.Sprintf("a response%s with status %d, %s and the output hash %x", by, out.GetStatus(), bodyWords(out), hash)
}

func requestBodyWords(q *logv1.Request) string {
	if q.GetStream() {
		return "a body that follows in parts"
	}
	return fmt.Sprintf("a body of %d octets", len(q.GetBody()))
}

// bodyWords is for an output's body, or what stands in its place.
func bodyWords(out *logv1.Output) string {
	if len(out.GetStreamSha256()) > 0 {
		return fmt.Sprintf("a stream of %d octets", out.GetStreamOctets())
	}
	return fmt.Sprintf("a body of %d octets", len(out.GetBody()))
}

// quoted shows text from outside.
func quoted(s string) string { return strconv.Quote(s) }

func pseudo(q *logv1.Request, name string) string {
	for _, h := range q.GetHeaders() {
		if string(h.GetName()) == name {
			return string(h.GetValue())
		}
	}
	return ""
}

// decodeOutput refuses nothing, which output.Decode reads as an empty one.
func decodeOutput(raw []byte) (*logv1.Output, error) {
	if len(raw) == 0 {
		return nil, errors.New("it is empty")
	}
	return output.Decode(raw)
}
