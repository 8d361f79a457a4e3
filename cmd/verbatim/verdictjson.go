package main

import (
	"encoding/hex"

	auditv1 "verbatim/proto/verbatim/audit/v1"
	logv1 "verbatim/proto/verbatim/log/v1"
)

// verdictJSON is a replay's verdict as --json prints it. Its names are a contract:
// docs/replay.md says what each is. Hashes are hexadecimal, "" where there is none.
type verdictJSON struct {
	Result string `json:"result"`
	Reason string `json:"reason"`
	Note   string `json:"note"`

	StartOffset      uint64 `json:"start_offset"`
	EndOffset        uint64 `json:"end_offset"`
	Requests         uint64 `json:"requests"`
	Sent             uint64 `json:"sent"`
	Warmed           uint64 `json:"warmed,omitempty"`
	Compared         uint64 `json:"compared"`
	Differences      uint64 `json:"differences"`
	Doubtful         uint64 `json:"doubtful"`
	WithoutResponse  uint64 `json:"without_response"`
	LocalReplies     uint64 `json:"local_replies"`
	OverlappingPairs uint64 `json:"overlapping_pairs"`
	Approximate      bool   `json:"overlap_approximate,omitempty"`

	LinksChecked   uint64 `json:"links_checked"`
	ChainRoot      string `json:"chain_root"`
	FootersChecked uint64 `json:"footers_checked"`
	FootersEqual   uint64 `json:"footers_equal"`
	FootersPartial uint64 `json:"footers_partial"`
	OriginalRoot   string `json:"original_root"`
	ReplayRoot     string `json:"replay_root"`

	Replays    uint32   `json:"replays"`
	SecondRoot *string  `json:"second_root,omitempty"`
	Moved      *uint64  `json:"moved,omitempty"`
	Moving     []string `json:"moving,omitzero"`

	Trusted        string  `json:"trusted,omitempty"`
	TrustedThrough *uint64 `json:"trusted_through,omitempty"`

	IgnorePolicySHA256 []string `json:"ignore_policy_sha256"`
	IgnorePolicySealed bool     `json:"ignore_policy_sealed"`

	RecordedMS uint64          `json:"recorded_ms"`
	ReplayUS   uint64          `json:"replay_us"`
	Starts     []startJSON     `json:"starts"`
	Warnings   []string        `json:"warnings,omitempty"`
	Divergence *divergenceJSON `json:"divergence,omitempty"`
}

// startJSON is who answered from an offset on, when it was recorded.
type startJSON struct {
	Offset   uint64 `json:"offset"`
	Pipeline string `json:"pipeline"`
	Image    string `json:"image"`
	Clock    string `json:"pipeline_clock,omitempty"`
}

// clockNames are where a pipeline has its time from; what is not known has no name.
var clockNames = map[logv1.PipelineClock]string{
	logv1.PipelineClock_PIPELINE_CLOCK_SYSTEM: "system", logv1.PipelineClock_PIPELINE_CLOCK_FROZEN: "frozen",
}

// divergenceJSON is the first difference.
type divergenceJSON struct {
	Kind           string   `json:"kind"`
	Kinds          []string `json:"kinds"`
	Fields         []string `json:"fields"`
	FirstBadOffset uint64   `json:"first_bad_offset"`
	RequestOffset  uint64   `json:"request_offset"`
	OriginalHash   string   `json:"original_hash"`
	ReplayHash     string   `json:"replay_hash"`
	SecondHash     string   `json:"second_hash,omitempty"`
	Diff           []string `json:"diff"`
	Overlapping    []uint64 `json:"overlapping"`
	Approximate    bool     `json:"overlapping_approximate,omitempty"`
	After          string   `json:"after,omitempty"`
	Unsent         uint64   `json:"unsent,omitempty"`
	FirstUnsent    uint64   `json:"first_unsent,omitempty"`
}

func newVerdictJSON(r *auditv1.AuditReplayResponse) *verdictJSON {
	v := &verdictJSON{
		Result: resultName(r.GetResult()), Reason: r.GetReason(), Note: compared,
		StartOffset: r.GetStartOffset(), EndOffset: r.GetEndOffset(), Requests: r.GetRequests(), Sent: r.GetSent(), Warmed: r.GetWarmed(),
		Compared: r.GetCompared(), Differences: r.GetDifferences(), Doubtful: r.GetDoubtful(), WithoutResponse: r.GetWithoutResponse(),
		LocalReplies: r.GetLocalReplies(), OverlappingPairs: r.GetOverlappingPairs(), Approximate: r.GetOverlapApproximate(),
		LinksChecked: r.GetLinksChecked(), ChainRoot: hex.EncodeToString(r.GetChainRoot()),
		FootersChecked: r.GetFootersChecked(), FootersEqual: r.GetFootersEqual(), FootersPartial: r.GetFootersPartial(),
		OriginalRoot: hex.EncodeToString(r.GetOriginalRoot()), ReplayRoot: hex.EncodeToString(r.GetReplayRoot()), Replays: r.GetReplays(),
		Trusted: r.GetTrusted(), IgnorePolicySHA256: hexes(r.GetIgnorePolicySha256()), IgnorePolicySealed: r.GetIgnorePolicySealed(),
		RecordedMS: r.GetRecordedMs(), ReplayUS: r.GetReplayUs(), Starts: []startJSON{}, Warnings: r.GetWarnings(),
		Divergence: newDivergenceJSON(r.GetDivergence()),
	}
	if r.GetReplays() > 1 {
		root := hex.EncodeToString(r.GetSecondRoot())
		v.SecondRoot, v.Moved, v.Moving = &root, &r.Moved, append([]string{}, r.GetMoving()...)
	}
	if v.Trusted != "" {
		v.TrustedThrough = &r.TrustedThrough
	}
	for _, s := range r.GetStarts() {
		v.Starts = append(v.Starts, startJSON{
			s.GetOffset(), s.GetPipeline().GetName(), s.GetPipeline().GetImageDigest(), clockNames[s.GetPipelineClock()],
		})
	}
	return v
}

// newDivergenceJSON is nil where nothing differs.
func newDivergenceJSON(d *auditv1.Divergence) *divergenceJSON {
	if d == nil {
		return nil
	}
	return &divergenceJSON{
		Kind: kindName(d.GetKind()), Kinds: kindNames(d), Fields: append([]string{}, d.GetFields()...),
		FirstBadOffset: d.GetFirstBadOffset(), RequestOffset: d.GetRequestOffset(),
		OriginalHash: hex.EncodeToString(d.GetOriginalHash()), ReplayHash: hex.EncodeToString(d.GetReplayHash()), SecondHash: hex.EncodeToString(d.GetSecondHash()),
		Diff: append([]string{}, d.GetDiff()...), Overlapping: append([]uint64{}, d.GetOverlapping()...),
		Approximate: d.GetOverlappingApproximate(), After: d.GetAfter(), Unsent: d.GetUnsent(), FirstUnsent: d.GetFirstUnsent(),
	}
}
