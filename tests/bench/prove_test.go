package bench

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/chain"
	"verbatim/sidecar/evidence"
)

// BenchmarkProve makes proofs on the loaded log on one core, each of another entry or
// of other checkpoints, and checks them: inclusion, consistency, a whole evidence file.
// Reported are the mean, the slowest, and what that takes again where nothing is read
// yet: a proof that is slow stays so, one that the machine held up does not.
func BenchmarkProve(b *testing.B) {
	l := loaded(b)
	v, err := auditlog.OpenReadOnly(l.dir)
	if err != nil {
		b.Fatal(err)
	}
	defer v.Close()
	checkpoints, err := v.Checkpoints(b.Context(), 0)
	if err != nil {
		b.Fatal(err)
	}
	for name, prove := range map[string]func(*prover, context.Context) (time.Duration, error){
		"inclusion": (*prover).inclusion, "consistency": (*prover).consistency, "evidence": (*prover).evidence,
	} {
		b.Run(name, func(b *testing.B) {
			onOneCore(b)
			chosen := *rand.NewPCG(3, 4)
			p := &prover{v: v, checkpoints: checkpoints, random: rand.New(&chosen)}
			var sum, slowest time.Duration
			slow := chosen
			for b.Loop() {
				next := chosen
				took, err := prove(p, b.Context())
				if err != nil {
					b.Fatal(err)
				}
				sum += took
				if took > slowest {
					slowest, slow = took, next
				}
			}
			report(b, "mean_ms", sum)
			b.ReportMetric(slowest.Seconds()*1000, "slowest_ms")
			b.StopTimer()
			chosen = slow
			b.ReportMetric(p.afresh(b, l.dir, prove).Seconds()*1000, "again_ms")
			if p.file != nil {
				b.ReportMetric(float64(beside(p.file)), "octets")
			}
		})
	}
}

// prover makes one proof of something else at each call, and says how long it took.
type prover struct {
	v           *auditlog.View
	checkpoints []auditlog.CheckpointAt
	random      *rand.Rand
	file        *evidence.File // the newest
}

// afresh makes the next proof from a view that has read nothing.
func (p *prover) afresh(b *testing.B, dir string, prove func(*prover, context.Context) (time.Duration, error)) time.Duration {
	b.Helper()
	v, err := auditlog.OpenReadOnly(dir)
	if err != nil {
		b.Fatal(err)
	}
	defer v.Close()
	fresh := *p
	fresh.v = v
	took, err := prove(&fresh, b.Context())
	if err != nil {
		b.Fatal(err)
	}
	return took
}

func (p *prover) checkpoint() auditlog.CheckpointAt {
	return p.checkpoints[p.random.IntN(len(p.checkpoints))]
}

func (p *prover) inclusion(ctx context.Context) (time.Duration, error) {
	c := p.checkpoint()
	e, err := p.v.Entry(p.random.Uint64N(c.Offset))
	if err != nil {
		return 0, err
	}
	began := time.Now()
	path, err := p.v.InclusionProof(ctx, e.Offset, c.Offset)
	took := time.Since(began)
	if err == nil {
		err = chain.VerifyInclusion(e.Offset, c.Offset, e.Hash(), path, chain.Hash(c.Checkpoint.GetMerkleRoot()))
	}
	return took, err
}

func (p *prover) consistency(ctx context.Context) (time.Duration, error) {
	a, c := p.checkpoint(), p.checkpoint()
	if a.Offset > c.Offset {
		a, c = c, a
	}
	began := time.Now()
	path, err := p.v.ConsistencyProof(ctx, a.Offset, c.Offset)
	took := time.Since(began)
	if err == nil {
		err = chain.VerifyConsistency(a.Offset, c.Offset, path, chain.Hash(a.Checkpoint.GetMerkleRoot()), chain.Hash(c.Checkpoint.GetMerkleRoot()))
	}
	return took, err
}

// evidence proves in the newest checkpoint, which has the longest paths.
func (p *prover) evidence(ctx context.Context) (time.Duration, error) {
	newest := p.checkpoints[len(p.checkpoints)-1]
	id := newest.Checkpoint.GetCheckpointId()
	began := time.Now()
	f, err := evidence.Prove(ctx, p.v, p.random.Uint64N(newest.Offset), evidence.Options{Checkpoint: &id})
	p.file = f
	return time.Since(began), err
}

// beside is how many octets of a file are not the entries' own.
func beside(f *evidence.File) int {
	n := len(f.Bytes())
	for _, e := range f.Entries() {
		n -= len(e.Raw)
	}
	return n
}
