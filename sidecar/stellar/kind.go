package stellar

import (
	"errors"
	"slices"

	"verbatim/contracts"
)

// kinds in the order in which Kind looks: the first that fits.
var kinds = []struct {
	name string
	fits func(error) bool
}{
	{"wrong_network", is(ErrWrongNetwork)},
	{"fee", func(err error) bool {
		_, ok := errors.AsType[*FeeError](err)
		return ok || errors.Is(err, ErrFeeTooSmall)
	}},
	{"try_again", is(ErrTryAgainLater)},
	{"sequence", is(ErrBadSequence)},
	{"funds", is(ErrNoFunds, ErrNoAccount)},
	{"expired", is(ErrExpired, ErrTooLate)},
	{"archived", is(ErrArchived)},
	{"contract", func(err error) bool { return as[contracts.Error](err) || is(ErrNotOpen, ErrNoContract)(err) }},
	{"auth", is(ErrNotAuthorized)},
	{"failed", func(err error) bool {
		return as[*FailedError](err) || as[*SimulationError](err) || as[*SendError](err)
	}},
	{"nonsense", as[*AnswerError]},
	{"unreachable", as[*ServerError]},
	{"internal", func(error) bool { return true }},
}

// Kind is one of Kinds, for metrics and for decisions: what an error of this
// package is about.
//
//	unreachable    the server can't be reached or can't answer
//	nonsense       its answer makes no sense
//	wrong_network  it is of another network
//	fee            above the ceiling, or below what the network asks
//	try_again      the server has no room now
//	sequence       the sequence number is used up
//	funds          the paying account is missing or can't pay
//	expired        the transaction's time is over
//	archived       entries must be restored first
//	contract       the contract refused, is missing, or has no such log
//	auth           a signature or authorization does not fit
//	failed         the transaction failed in its ledger, or would, for another reason
//	internal       everything else
func Kind(err error) string {
	for _, k := range kinds {
		if k.fits(err) {
			return k.name
		}
	}
	return "internal"
}

// Kinds are all that Kind returns, in alphabetical order.
func Kinds() []string {
	names := make([]string, 0, len(kinds))
	for _, k := range kinds {
		names = append(names, k.name)
	}
	slices.Sort(names)
	return names
}

// Rejected says that err is a server's refusal of the transaction itself: that
// server did not take it. An earlier sending of the same bytes may still have got
// into a ledger, which txBAD_SEQ hints at.
func Rejected(err error) bool { return as[*SendError](err) }

func is(targets ...error) func(error) bool {
	return func(err error) bool {
		return slices.ContainsFunc(targets, func(t error) bool { return errors.Is(err, t) })
	}
}

func as[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}
