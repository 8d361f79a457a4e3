package stellar

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	protocol "github.com/stellar/go-stellar-sdk/protocols/rpc"
	"github.com/stellar/go-stellar-sdk/xdr"

	"verbatim/contracts"
)

// hostError is how the host begins its account of an error.
var hostError = regexp.MustCompile(`^HostError: Error\((\w+), #?(\w+)\)`)

// simulationError makes an error of what a simulation says.
func (c *Client) simulationError(text string) error {
	line, _, _ := strings.Cut(text, "\n")
	would := &SimulationError{Message: line}
	m := hostError.FindStringSubmatch(line)
	if m == nil {
		// The contract did not even run.
		return &ServerError{Server: c.server, Method: protocol.SimulateTransactionMethodName, Err: errors.New(would.Error())}
	}
	switch kind, code := m[1], m[2]; {
	case kind == "Contract":
		if n, err := strconv.ParseUint(code, 10, 32); err == nil {
			return contracts.Error(n)
		}
	case kind == "Auth":
		return fmt.Errorf("%w: %w", ErrNotAuthorized, would)
	case kind == "Storage" && code == "MissingValue":
		return fmt.Errorf("%w, or its code is missing: %w", ErrNoContract, would)
	}
	return would
}

// contractError is the contract's error in a failed transaction's diagnostic events,
// 0 if there is none. They are no part of what the network agrees on.
func contractError(events []string) contracts.Error {
	for _, text := range events {
		var e xdr.DiagnosticEvent
		if _, err := decodeBase64(text, &e); err != nil {
			continue
		}
		body, ok := e.Event.Body.GetV0()
		if !ok || len(body.Topics) < 2 {
			continue
		}
		name, named := body.Topics[0].GetSym()
		scError, is := body.Topics[1].GetError()
		if !named || name != "error" || !is {
			continue
		}
		if code, ok := scError.GetContractCode(); ok {
			return contracts.Error(code)
		}
	}
	return 0
}
