package main

import (
	"fmt"

	logv1 "verbatim/proto/verbatim/log/v1"
)

func whatBody(r *logv1.Request) string {
	if r.GetStream() {
		return "a stream"
	}
	return fmt.Sprintf("%d octets", len(r.GetBody()))
}

func whatRequestPart(p *logv1.RequestPart) string {
	s := fmt.Sprintf("of %d%s", p.GetRequestOffset(), whatOctets(p.GetData(), p.GetOmitted()))
	if len(p.GetTrailers()) > 0 {
		s += ", trailers"
	}
	if p.GetLast() {
		s += ", the last"
	}
	return s
}

func whatResponsePart(p *logv1.ResponsePart) string {
	s := fmt.Sprintf("of %d", p.GetRequestOffset())
	if len(p.GetHeaders()) > 0 {
		s += ", headers"
	}
	s += whatOctets(p.GetData(), p.GetOmitted())
	if p.GetTurnEnded() {
		s += ", its turn ended"
	}
	return s
}

func whatOctets(data []byte, omitted *logv1.Omitted) string {
	switch {
	case omitted != nil:
		return fmt.Sprintf(", %d octets that were not kept", omitted.GetOctets())
	case len(data) > 0:
		return fmt.Sprintf(", %d octets", len(data))
	}
	return ""
}
