package evidence

import (
	"crypto/sha256"
	"time"

	evidencev1 "verbatim/proto/verbatim/evidence/v1"
	logv1 "verbatim/proto/verbatim/log/v1"
)

// Divergence is what a replay said of an exchange.
type Divergence struct {
	// Output is what the pipeline gave, a serialized Output; nil: it gave none.
	Output []byte
	// Reason is the verdict's.
	Reason string
	// TargetImage is what the target was declared to run; empty: not declared.
	TargetImage string
	At          time.Time
	// Version is of the verbatim that replayed.
	Version string
}

func (d *Divergence) message() *evidencev1.Divergence {
	if d == nil {
		return nil
	}
	return &evidencev1.Divergence{
		ReplayedOutput: d.Output, Reason: d.Reason, TargetImage: d.TargetImage,
		ReplayedMs: uint64(d.At.UnixMilli()), VerbatimVersion: d.Version,
	}
}

// Divergent says whether the file is of a divergence.
func (f *File) Divergent() bool { return f.m.GetDivergence() != nil }

// Outputs are the recorded one, which is proven, and the replayed one, which is only
// stated; nil where there is none or it can't be read.
func (f *File) Outputs() (recorded, replayed *logv1.Output) {
	recorded, _ = decodeOutput(f.response().GetOutput())
	replayed, _ = decodeOutput(f.m.GetDivergence().GetReplayedOutput())
	return recorded, replayed
}

// checkDivergence checks that what is said to differ does.
func (f *File) checkDivergence(r *Report) {
	d := f.m.GetDivergence()
	if d == nil {
		return
	}
	recorded, replayed := sha256.Sum256(f.response().GetOutput()), sha256.Sum256(d.GetReplayedOutput())
	r.add(Proven, "The recorded output, in the response at %d, has the output hash %x.", f.outcome.Offset, recorded)
	out, err := decodeOutput(d.GetReplayedOutput())
	switch {
	case len(d.GetReplayedOutput()) == 0:
		r.add(Stated, "The replay got no answer, by the word of whoever made this file.")
	case err != nil:
		r.wrong(f.outcome.Offset, CodeDivergence, "The replayed output can't be read: %v.", err)
		return
	case recorded == replayed:
		r.wrong(f.outcome.Offset, CodeDivergence, "The replayed output is the recorded one: nothing differs.")
		return
	default:
		r.add(Stated, "The replayed output has status %d, %s and the output hash %x, by the word of whoever made this file: a replay can be run again.",
			out.GetStatus(), bodyWords(out), replayed)
	}
	image := "an image that was not declared"
	if d.GetTargetImage() != "" {
		image = "the image " + quoted(d.GetTargetImage())
	}
	r.add(Stated, "It was replayed at %s into %s by verbatim %s. The verdict: %s.",
		when(d.GetReplayedMs()), image, quoted(d.GetVerbatimVersion()), quoted(d.GetReason()))
}
