package verify

import (
	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/chain"
)

// policies checks the digests of the policies that a Start holds.
func policies(r *Report, offset uint64, s *logv1.Start) {
	policy(r, offset, "capture", s.GetCapturePolicy())
	policy(r, offset, "ignore", s.GetIgnorePolicy())
}

func policy(r *Report, offset uint64, name string, p *logv1.Policy) {
	if p == nil {
		return
	}
	if got := chain.EventHash(p.GetText()); got != bytesToHash(p.GetSha256()) {
		r.add(offset, CodePolicy, "SHA-256 of the %s policy is %s, but it says %x", name, got, p.GetSha256())
	}
}
