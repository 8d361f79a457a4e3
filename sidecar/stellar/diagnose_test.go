package stellar_test

import (
	"errors"
	"testing"

	"github.com/stellar/go-stellar-sdk/xdr"

	"verbatim/contracts"
	"verbatim/sidecar/stellar"
)

// diagnostic is an event that servers send along with a failure.
func diagnostic(topics ...xdr.ScVal) string {
	text, err := xdr.MarshalBase64(xdr.DiagnosticEvent{Event: xdr.ContractEvent{
		Type: xdr.ContractEventTypeDiagnostic,
		Body: xdr.ContractEventBody{V0: &xdr.ContractEventV0{Topics: topics, Data: xdr.ScVal{Type: xdr.ScValTypeScvVoid}}},
	}})
	if err != nil {
		panic(err)
	}
	return text
}

func symbol(s string) xdr.ScVal {
	sym := xdr.ScSymbol(s)
	return xdr.ScVal{Type: xdr.ScValTypeScvSymbol, Sym: &sym}
}

// TestFailedTellsWhy: as far as the server tells.
func TestFailedTellsWhy(t *testing.T) {
	number, budget := xdr.Uint32(3), xdr.ScErrorCodeScecExceededLimit
	refused := xdr.ScVal{Type: xdr.ScValTypeScvError, Error: &xdr.ScError{Type: xdr.ScErrorTypeSceContract, ContractCode: &number}}
	spent := xdr.ScVal{Type: xdr.ScValTypeScvError, Error: &xdr.ScError{Type: xdr.ScErrorTypeSceBudget, Code: &budget}}
	called := diagnostic(symbol("fn_call"), symbol("commit"))
	for name, c := range map[string]struct {
		events any
		want   contracts.Error
	}{
		"nothing":            {nil, 0},
		"refused":            {[]string{called, diagnostic(symbol("error"), refused)}, contracts.RootDiffers},
		"refused, told late": {[]string{noXDR, noBase64, diagnostic(), diagnostic(symbol("error"), symbol("x")), diagnostic(symbol("error"), refused)}, contracts.RootDiffers},
		"budget":             {[]string{called, diagnostic(symbol("error"), spent)}, 0},
		"no error":           {[]string{called, diagnostic(symbol("log"), refused)}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			s, client, _ := play(t)
			a := s.Answers["getTransaction"]
			a["status"], a["diagnosticEventsXdr"] = "FAILED", c.events
			edit("resultXdr", trapped)(a)
			out, err := client.Outcome(t.Context(), recordedHash(t, s))
			if err != nil {
				t.Fatal(err)
			}
			var failed *stellar.FailedError
			if out.Status != stellar.Failed || !errors.As(out.Err, &failed) || failed.Code != "INVOKE_HOST_FUNCTION_TRAPPED" || failed.Contract != c.want {
				t.Errorf("it is %s: %v", out.Status, out.Err)
			}
			if c.want != 0 && !errors.Is(out.Err, c.want) {
				t.Errorf("%v is not %v", out.Err, c.want)
			}
		})
	}
}
