package stellar

import (
	"errors"
	"fmt"

	"verbatim/contracts"
)

// Errors by which callers decide.
var (
	// ErrWrongNetwork: the server is of another network than the one named to Dial.
	ErrWrongNetwork = errors.New("the server is of another network")
	// ErrNoContract: the network has no such contract.
	ErrNoContract = errors.New("there is no such contract on this network")
	// ErrNotOpen: the contract has no such log.
	ErrNotOpen = errors.New("the log is not open on the contract")
	// ErrArchived: entries that the transaction needs have expired and must be
	// restored before it.
	ErrArchived = errors.New("entries have expired and must be restored first")
	// ErrNotAuthorized: the contract wants another account's authorization than the
	// writer's, or a signature does not fit.
	ErrNotAuthorized = errors.New("not authorized")
	// ErrNoAccount: the network has no such account.
	ErrNoAccount = errors.New("there is no such account on this network")

	// ErrTryAgainLater: the server has no room for the transaction now, or another one
	// of this account is under way. The same bytes can be sent again.
	ErrTryAgainLater = errors.New("the server has no room for the transaction now")
	// ErrBadSequence: the transaction's sequence number is not the account's next.
	// Either this transaction or another one with its number is in a ledger.
	ErrBadSequence = errors.New("the sequence number is not the account's next")
	// ErrFeeTooSmall: the network asks more for inclusion than the transaction bids.
	ErrFeeTooSmall = errors.New("the network asks for a higher fee")
	// ErrTooLate: the transaction's time is over.
	ErrTooLate = errors.New("the transaction's time is over")
	// ErrNoFunds: the paying account can't pay the fee.
	ErrNoFunds = errors.New("the paying account can't pay the fee")

	// ErrExpired: the transaction got into no ledger and can't any more.
	ErrExpired = errors.New("the transaction got into no ledger before its time was over")
)

// FeeError says that a transaction costs more than its ceiling. It was not signed.
type FeeError struct {
	// Needed and Ceiling are in stroops, inclusion and resources together.
	Needed, Ceiling int64
}

func (e *FeeError) Error() string {
	return fmt.Sprintf("the transaction needs a fee of up to %d stroops, the ceiling is %d: raise the ceiling to pay that, or wait until the network asks for less",
		e.Needed, e.Ceiling)
}

// SendError says that the server did not take a transaction. For the codes that
// callers decide by, errors.Is finds the sentinel.
type SendError struct {
	// Code is the network's name of the result, such as txBAD_SEQ.
	Code string
}

func (e *SendError) Error() string {
	if s := e.Unwrap(); s != nil {
		return fmt.Sprintf("the server refused the transaction with %s: %v", e.Code, s)
	}
	return "the server refused the transaction with " + e.Code
}

// Unwrap is the sentinel of this code, or nil.
func (e *SendError) Unwrap() error {
	switch e.Code {
	case "txBAD_SEQ":
		return ErrBadSequence
	case "txINSUFFICIENT_FEE":
		return ErrFeeTooSmall
	case "txTOO_LATE":
		return ErrTooLate
	case "txINSUFFICIENT_BALANCE":
		return ErrNoFunds
	case "txNO_ACCOUNT":
		return ErrNoAccount
	case "txBAD_AUTH", "txBAD_AUTH_EXTRA":
		return ErrNotAuthorized
	}
	return nil
}

// FailedError is what a transaction failed with in a ledger. Its fee is paid.
type FailedError struct {
	// Code is the network's name of the result, the operation's if there is one,
	// such as INVOKE_HOST_FUNCTION_TRAPPED.
	Code string
	// Contract is the contract's own error, 0 if it had none or the server doesn't tell.
	Contract contracts.Error
}

func (e *FailedError) Error() string {
	if e.Contract != 0 {
		return fmt.Sprintf("the transaction failed with %s: %v", e.Code, e.Contract)
	}
	return "the transaction failed with " + e.Code
}

// Unwrap is the contract's error, or the sentinel of this code, or nil.
func (e *FailedError) Unwrap() error {
	switch {
	case e.Contract != 0:
		return e.Contract
	case e.Code == "INVOKE_HOST_FUNCTION_ENTRY_ARCHIVED":
		return ErrArchived
	}
	return (&SendError{Code: e.Code}).Unwrap()
}

// SimulationError says that an operation would fail on the ledger as it is.
type SimulationError struct {
	// Message is the server's first line about it.
	Message string
}

func (e *SimulationError) Error() string {
	return fmt.Sprintf("the transaction would fail: %.300q", e.Message)
}

// ServerError says that the server can't be reached, did not answer in time, or can't
// answer. Of a transaction it leaves open whether it arrived.
type ServerError struct {
	// Server is its scheme and host: the rest of the address may hold a key.
	Server string
	// Method is what was asked.
	Method string
	Err    error
}

func (e *ServerError) Error() string {
	return fmt.Sprintf("ask %s for %s: %v", e.Server, e.Method, e.Err)
}

func (e *ServerError) Unwrap() error { return e.Err }

// AnswerError says that the server's answer makes no sense. Of a transaction it leaves
// open whether it arrived.
type AnswerError struct {
	Server, Method string
	Err            error
}

func (e *AnswerError) Error() string {
	return fmt.Sprintf("the answer of %s to %s makes no sense: %v", e.Server, e.Method, e.Err)
}

func (e *AnswerError) Unwrap() error { return e.Err }
