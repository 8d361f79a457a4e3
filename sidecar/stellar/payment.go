package stellar

import (
	"errors"
	"fmt"
	"time"
)

// Payment says who signs a transaction, and what it may cost.
type Payment struct {
	// Payer is the transaction's source account: it pays, and its sequence number is
	// used.
	Payer Signer
	// Writer authorizes the call; nil or the payer's account: the payer does, as the
	// source account.
	Writer Signer
	// MaxFee is the most that the transaction may cost, in stroops, inclusion and
	// resources together.
	MaxFee int64
	// ValidFor is how long after the newest ledger the transaction can still get into
	// one: from a second to a day.
	ValidFor time.Duration
}

func (p Payment) check() error {
	switch {
	case p.Payer == nil:
		return errors.New("nobody is named to pay for the transaction")
	case p.MaxFee <= 0:
		return fmt.Errorf("the ceiling for a transaction's fee is %d stroops: it must be more than 0", p.MaxFee)
	case p.ValidFor < time.Second || p.ValidFor > 24*time.Hour:
		return fmt.Errorf("a transaction's time is %s: it must be from one second to one day", p.ValidFor)
	}
	return nil
}

// writer authorizes the call.
func (p Payment) writer() Signer {
	if p.Writer == nil {
		return p.Payer
	}
	return p.Writer
}
