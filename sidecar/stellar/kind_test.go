package stellar_test

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"

	"verbatim/contracts"
	"verbatim/sidecar/stellar"
)

func TestKind(t *testing.T) {
	met := map[string]bool{}
	for _, c := range []struct {
		err  error
		kind string
	}{
		{stellar.ErrWrongNetwork, "wrong_network"},
		{&stellar.FeeError{Needed: 2, Ceiling: 1}, "fee"},
		{stellar.ErrFeeTooSmall, "fee"},
		{&stellar.SendError{Code: "txINSUFFICIENT_FEE"}, "fee"},
		{stellar.ErrTryAgainLater, "try_again"},
		{&stellar.SendError{Code: "txBAD_SEQ"}, "sequence"},
		{&stellar.SendError{Code: "txINSUFFICIENT_BALANCE"}, "funds"},
		{stellar.ErrNoAccount, "funds"},
		{stellar.ErrExpired, "expired"},
		{&stellar.SendError{Code: "txTOO_LATE"}, "expired"},
		{stellar.ErrArchived, "archived"},
		{&stellar.FailedError{Code: "INVOKE_HOST_FUNCTION_ENTRY_ARCHIVED"}, "archived"},
		{contracts.RootDiffers, "contract"},
		{&stellar.FailedError{Code: "INVOKE_HOST_FUNCTION_TRAPPED", Contract: contracts.NotOpen}, "contract"},
		{stellar.ErrNoContract, "contract"},
		{stellar.ErrNotOpen, "contract"},
		{stellar.ErrNotAuthorized, "auth"},
		{&stellar.FailedError{Code: "txBAD_AUTH"}, "auth"},
		{&stellar.FailedError{Code: "INVOKE_HOST_FUNCTION_TRAPPED"}, "failed"},
		{&stellar.SimulationError{Message: "no"}, "failed"},
		{&stellar.SendError{Code: "txMALFORMED"}, "failed"},
		{&stellar.AnswerError{Err: io.EOF}, "nonsense"},
		{&stellar.ServerError{Err: io.EOF}, "unreachable"},
		{io.EOF, "internal"},
	} {
		for _, err := range []error{c.err, fmt.Errorf("do it: %w", c.err), errors.Join(io.EOF, c.err)} {
			if got := stellar.Kind(err); got != c.kind {
				t.Errorf("%v: kind is %s, not %s", err, got, c.kind)
			}
		}
		met[c.kind] = true
	}
	all := stellar.Kinds()
	if !slices.IsSorted(all) || len(all) != len(met) {
		t.Errorf("kinds are %q, met were %d", all, len(met))
	}
	for _, kind := range all {
		if !met[kind] {
			t.Errorf("kind %s was not met", kind)
		}
	}
}
