package auditlog

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"verbatim/sidecar/chain"
)

// PrunePolicy is what the text Prune.policy says. Text of others is allowed; then
// nobody can tell from it what must still be there.
type PrunePolicy struct {
	// Keep is how old everything that went was at least.
	Keep time.Duration
	// Clock is how age was told: PruneByLedger or PruneByCount.
	Clock string
	// Cut is what the cut's checkpoint had to be: PruneAnchored or PruneSealed.
	Cut string
	// Kept is over the entries up to and including the cut's checkpoint that stay
	// for ever: how many, and SHA-256 of their entry hashes, concatenated in order.
	Kept     uint64
	KeptHash chain.Hash
}

// The words of a policy.
const (
	PruneByLedger = "ledger"
	PruneByCount  = "counted"
	PruneAnchored = "anchored"
	PruneSealed   = "sealed"
)

const prunePolicyForm = "keep=%s clock=%s cut=%s kept=%d:%s"

// String is the policy as a Prune entry holds it.
func (p PrunePolicy) String() string {
	return fmt.Sprintf(prunePolicyForm, p.Keep, p.Clock, p.Cut, p.Kept, p.KeptHash)
}

var errPrunePolicy = errors.New("it is not of the form keep=DURATION clock=ledger|counted cut=anchored|sealed kept=N:SHA256")

// ParsePrunePolicy reads what String wrote, and nothing else.
func ParsePrunePolicy(text string) (PrunePolicy, error) {
	var p PrunePolicy
	var keep, hash string
	_, err := fmt.Sscanf(strings.ReplaceAll(text, ":", " : "), "keep=%s clock=%s cut=%s kept=%d : %s", &keep, &p.Clock, &p.Cut, &p.Kept, &hash)
	if err == nil {
		p.Keep, err = time.ParseDuration(keep)
	}
	if err == nil {
		p.KeptHash, err = chain.ParseHash(hash)
	}
	if err != nil || p.String() != text || p.Clock != PruneByLedger && p.Clock != PruneByCount || p.Cut != PruneAnchored && p.Cut != PruneSealed {
		return PrunePolicy{}, fmt.Errorf("read prune policy %q: %w", text, errPrunePolicy)
	}
	return p, nil
}

// StaysForEver says whether entries of a kind stay when all around them is pruned.
func StaysForEver(k Kind) bool { return k == KindGenesis || k == KindStart || k == KindCheckpoint }
