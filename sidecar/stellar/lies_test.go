package stellar_test

import (
	"encoding"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/stellar/go-stellar-sdk/xdr"

	"verbatim/contracts"
	"verbatim/sidecar/stellar"
)

// answer is a result as JSON.
type answer = map[string]any

// put sets one field of an answer.
func put(field string, value any) func(answer) {
	return func(a answer) { a[field] = value }
}

// without leaves a field out.
func without(field string) func(answer) {
	return func(a answer) { delete(a, field) }
}

// edit changes what is in base64 XDR.
func edit[T any, P interface {
	*T
	encoding.BinaryUnmarshaler
	encoding.BinaryMarshaler
}](field string, change func(P)) func(answer) {
	return func(a answer) { a[field] = edited(a[field], change) }
}

func edited[T any, P interface {
	*T
	encoding.BinaryUnmarshaler
	encoding.BinaryMarshaler
}](text any, change func(P)) string {
	v := P(new(T))
	if err := xdr.SafeUnmarshalBase64(text.(string), v); err != nil {
		panic(err)
	}
	change(v)
	again, err := xdr.MarshalBase64(v)
	if err != nil {
		panic(err)
	}
	return again
}

// auth changes the one authorization that a simulation asks for.
func auth(change func(*xdr.SorobanAuthorizationEntry)) func(answer) {
	return func(a answer) {
		list := a["results"].([]any)[0].(answer)["auth"].([]any)
		list[0] = edited(list[0], change)
	}
}

const (
	noXDR    = "AAAA"     // too short for anything
	noBase64 = "%%%%"     //
	tail     = "AAAAAAAA" // what follows decodes, and is too much
)

// TestLies: one wrong thing in an otherwise good answer.
func TestLies(t *testing.T) {
	for method, lies := range map[string]map[string]struct {
		ask    string
		change func(answer)
		kind   string
		cause  error
	}{
		"getNetwork": {
			"no passphrase":      {"network", without("passphrase"), "wrong_network", stellar.ErrWrongNetwork},
			"another passphrase": {"network", put("passphrase", strings.Repeat("x", 5000)), "wrong_network", stellar.ErrWrongNetwork},
			"number":             {"network", put("passphrase", 5), "nonsense", nil},
			"before preparing":   {"prepare", put("passphrase", "other"), "wrong_network", stellar.ErrWrongNetwork},
			"before sending":     {"send", put("passphrase", "other"), "wrong_network", stellar.ErrWrongNetwork},
			"before asking":      {"outcome", put("passphrase", "other"), "wrong_network", stellar.ErrWrongNetwork},
		},
		"getHealth": {
			"no ledger":        {"latest", without("latestLedger"), "nonsense", nil},
			"ledger 0":         {"latest", put("latestLedger", 0), "nonsense", nil},
			"negative ledger":  {"latest", put("latestLedger", -1), "nonsense", nil},
			"ledger too high":  {"latest", put("latestLedger", uint32(math.MaxUint32)), "nonsense", nil},
			"ledger with dot":  {"latest", put("latestLedger", 1.5), "nonsense", nil},
			"no time":          {"latest", without("latestLedgerCloseTime"), "nonsense", nil},
			"time 0":           {"latest", put("latestLedgerCloseTime", "0"), "nonsense", nil},
			"negative time":    {"latest", put("latestLedgerCloseTime", "-5"), "nonsense", nil},
			"time too late":    {"latest", put("latestLedgerCloseTime", "9000000000000000000"), "nonsense", nil},
			"time as number":   {"latest", put("latestLedgerCloseTime", 5), "nonsense", nil},
			"before preparing": {"prepare", put("latestLedgerCloseTime", "0"), "nonsense", nil},
		},
		"getFeeStats": {
			"no number": {"prepare", put("sorobanInclusionFee", answer{"p90": "x"}), "nonsense", nil},
			"negative":  {"prepare", put("sorobanInclusionFee", answer{"p90": "-1"}), "nonsense", nil},
			"a list":    {"prepare", put("sorobanInclusionFee", []int{1}), "nonsense", nil},
			"surge":     {"prepare", put("sorobanInclusionFee", answer{"p90": "2000000001"}), "fee", nil},
			"endless":   {"prepare", put("sorobanInclusionFee", answer{"p90": "18446744073709551615"}), "fee", nil},
		},
		"getLedgerEntries": {
			"no ledger":       {"log", without("latestLedger"), "nonsense", nil},
			"entries a text":  {"log", put("entries", "x"), "nonsense", nil},
			"entry a text":    {"log", put("entries", []string{"x"}), "nonsense", nil},
			"entry not asked": {"log", put("entries", []answer{{"key": noXDR, "xdr": noXDR}}), "nonsense", nil},
			"account gone":    {"prepare", put("entries", []answer{}), "funds", stellar.ErrNoAccount},
			"contract gone":   {"code", put("entries", []answer{}), "contract", stellar.ErrNoContract},
		},
		"simulateTransaction": {
			"empty":               {"prepare", func(a answer) { clear(a) }, "nonsense", nil},
			"no ledger":           {"prepare", without("latestLedger"), "nonsense", nil},
			"no data":             {"prepare", without("transactionData"), "nonsense", nil},
			"data no base64":      {"prepare", put("transactionData", noBase64), "nonsense", nil},
			"data no XDR":         {"prepare", put("transactionData", noXDR), "nonsense", nil},
			"data and more":       {"prepare", func(a answer) { a["transactionData"] = a["transactionData"].(string) + tail }, "nonsense", nil},
			"no fee":              {"prepare", fees(0, "0"), "nonsense", nil},
			"negative fee":        {"prepare", fees(-7, "-7"), "nonsense", nil},
			"fee no number":       {"prepare", put("minResourceFee", "much"), "nonsense", nil},
			"fee above all":       {"prepare", fees(math.MaxInt64, "5"), "fee", nil},
			"higher beside it":    {"prepare", put("minResourceFee", "2000000001"), "fee", nil},
			"two results":         {"prepare", func(a answer) { a["results"] = append(a["results"].([]any), answer{}) }, "nonsense", nil},
			"results a text":      {"prepare", put("results", "x"), "nonsense", nil},
			"auth no XDR":         {"prepare", put("results", []answer{{"auth": []string{noXDR}}}), "nonsense", nil},
			"auth of another":     {"prepare", auth(byStranger), "auth", stellar.ErrNotAuthorized},
			"auth of pool":        {"prepare", auth(byPool), "auth", stellar.ErrNotAuthorized},
			"auth of other call":  {"prepare", auth(otherCall), "auth", stellar.ErrNotAuthorized},
			"auth of other root":  {"prepare", auth(otherRoot), "auth", stellar.ErrNotAuthorized},
			"auth of more":        {"prepare", auth(moreCalls), "auth", stellar.ErrNotAuthorized},
			"auth twice":          {"prepare", twoAuths, "auth", stellar.ErrNotAuthorized},
			"restore first":       {"prepare", put("restorePreamble", answer{"transactionData": "", "minResourceFee": "5"}), "archived", stellar.ErrArchived},
			"contract's error":    {"prepare", put("error", "HostError: Error(Contract, #3)\n\nEvent log\n"), "contract", contracts.RootDiffers},
			"unknown error":       {"prepare", put("error", "HostError: Error(Contract, #999)"), "contract", contracts.Error(999)},
			"error out of range":  {"prepare", put("error", "HostError: Error(Contract, #99999999999999999999)"), "failed", nil},
			"auth error":          {"prepare", put("error", "HostError: Error(Auth, InvalidAction)"), "auth", stellar.ErrNotAuthorized},
			"no contract":         {"prepare", put("error", "HostError: Error(Storage, MissingValue)"), "contract", stellar.ErrNoContract},
			"budget":              {"prepare", put("error", "HostError: Error(Budget, ExceededLimit)"), "failed", nil},
			"the server's error":  {"prepare", put("error", "could not query captive core: "+strings.Repeat("x", 5000)), "unreachable", nil},
			"error not at start":  {"prepare", put("error", "because HostError: Error(Contract, #3)"), "unreachable", nil},
			"nobody to authorize": {"prepare", put("results", []answer{{"auth": []string{}}}), "", nil}, // the ledger decides
		},
		"sendTransaction": {
			"another hash":      {"send", put("hash", strings.Repeat("0", 64)), "nonsense", nil},
			"no hash":           {"send", without("hash"), "nonsense", nil},
			"no status":         {"send", without("status"), "nonsense", nil},
			"another status":    {"send", put("status", "SUCCESS"), "nonsense", nil},
			"busy":              {"send", put("status", "TRY_AGAIN_LATER"), "try_again", stellar.ErrTryAgainLater},
			"duplicate":         {"send", put("status", "DUPLICATE"), "", nil},
			"error, no reason":  {"send", put("status", "ERROR"), "nonsense", nil},
			"error, no XDR":     {"send", refuse(noXDR), "nonsense", nil},
			"error, but it is":  {"send", refuseWith(xdr.TransactionResultCodeTxSuccess), "nonsense", nil},
			"bad sequence":      {"send", refuseWith(xdr.TransactionResultCodeTxBadSeq), "sequence", stellar.ErrBadSequence},
			"fee":               {"send", refuseWith(xdr.TransactionResultCodeTxInsufficientFee), "fee", stellar.ErrFeeTooSmall},
			"too late":          {"send", refuseWith(xdr.TransactionResultCodeTxTooLate), "expired", stellar.ErrTooLate},
			"no funds":          {"send", refuseWith(xdr.TransactionResultCodeTxInsufficientBalance), "funds", stellar.ErrNoFunds},
			"no account":        {"send", refuseWith(xdr.TransactionResultCodeTxNoAccount), "funds", stellar.ErrNoAccount},
			"bad signature":     {"send", refuseWith(xdr.TransactionResultCodeTxBadAuth), "auth", stellar.ErrNotAuthorized},
			"too many of them":  {"send", refuseWith(xdr.TransactionResultCodeTxBadAuthExtra), "auth", stellar.ErrNotAuthorized},
			"too early":         {"send", refuseWith(xdr.TransactionResultCodeTxTooEarly), "failed", nil},
			"soroban's reasons": {"send", refuseWith(xdr.TransactionResultCodeTxSorobanInvalid), "failed", nil},
		},
		"getTransaction": {
			"no status":         {"outcome", without("status"), "nonsense", nil},
			"another status":    {"outcome", put("status", "PENDING"), "nonsense", nil},
			"another hash":      {"outcome", put("txHash", strings.Repeat("0", 64)), "nonsense", nil},
			"no latest ledger":  {"outcome", without("latestLedger"), "nonsense", nil},
			"no latest time":    {"outcome", without("latestLedgerCloseTime"), "nonsense", nil},
			"oldest too late":   {"outcome", put("oldestLedgerCloseTime", "9000000000000000000"), "nonsense", nil},
			"no ledger":         {"outcome", without("ledger"), "nonsense", nil},
			"ledger too high":   {"outcome", put("ledger", 1<<32), "nonsense", nil},
			"no time":           {"outcome", put("createdAt", "0"), "nonsense", nil},
			"time as number":    {"outcome", put("createdAt", 5), "nonsense", nil},
			"no envelope":       {"outcome", without("envelopeXdr"), "nonsense", nil},
			"envelope no XDR":   {"outcome", put("envelopeXdr", noXDR), "nonsense", nil},
			"envelope and more": {"outcome", func(a answer) { a["envelopeXdr"] = a["envelopeXdr"].(string) + tail }, "nonsense", nil},
			"another envelope":  {"outcome", edit("envelopeXdr", func(e *xdr.TransactionEnvelope) { e.V1.Tx.SeqNum++ }), "nonsense", nil},
			"old envelope":      {"outcome", edit("envelopeXdr", oldForm), "nonsense", nil},
			"no result":         {"outcome", without("resultXdr"), "nonsense", nil},
			"result no XDR":     {"outcome", put("resultXdr", noXDR), "nonsense", nil},
			"result is failure": {"outcome", edit("resultXdr", func(r *xdr.TransactionResult) { r.Result.Code = xdr.TransactionResultCodeTxFailed }), "nonsense", nil},
			"status is failure": {"outcome", put("status", "FAILED"), "nonsense", nil},
			"negative fee":      {"outcome", edit("resultXdr", func(r *xdr.TransactionResult) { r.FeeCharged = -1 }), "nonsense", nil},
			"bump disagrees":    {"outcome", edit("resultXdr", disagree), "nonsense", nil},
			"not found":         {"outcome", put("status", "NOT_FOUND"), "", nil},
		},
	} {
		for name, lie := range lies {
			t.Run(method+"/"+name, func(t *testing.T) {
				s, c, k := play(t)
				lie.change(s.Answers[method])
				err := questions(s, c, k)[lie.ask](t)
				if lie.kind == "" {
					if err != nil {
						t.Errorf("error is %v", err)
					}
					return
				}
				fails(t, err, lie.kind, lie.cause)
				if text := err.Error(); len(text) > 700 {
					t.Errorf("the error is %d bytes long", len(text))
				}
			})
		}
	}
}

func fees(inData int64, beside string) func(answer) {
	return func(a answer) {
		edit("transactionData", func(d *xdr.SorobanTransactionData) { d.ResourceFee = xdr.Int64(inData) })(a)
		a["minResourceFee"] = beside
	}
}

func byStranger(e *xdr.SorobanAuthorizationEntry) {
	stranger := xdr.MustAddress("GA7QYNF7SOWQ3GLR2BGMZEHXAVIRZA4KVWLTJJFC7MGXUA74P7UJVSGZ")
	e.Credentials = xdr.SorobanCredentials{Type: xdr.SorobanCredentialsTypeSorobanCredentialsAddressV2, AddressV2: &xdr.SorobanAddressCredentials{
		Address: xdr.ScAddress{Type: xdr.ScAddressTypeScAddressTypeAccount, AccountId: &stranger}, Signature: xdr.ScVal{Type: xdr.ScValTypeScvVoid},
	}}
}

func byPool(e *xdr.SorobanAuthorizationEntry) {
	e.Credentials = xdr.SorobanCredentials{Type: xdr.SorobanCredentialsTypeSorobanCredentialsAddress, Address: &xdr.SorobanAddressCredentials{
		Address:   xdr.ScAddress{Type: xdr.ScAddressTypeScAddressTypeLiquidityPool, LiquidityPoolId: &xdr.PoolId{}},
		Signature: xdr.ScVal{Type: xdr.ScValTypeScvVoid},
	}}
}

func otherCall(e *xdr.SorobanAuthorizationEntry) {
	e.RootInvocation.Function.ContractFn.FunctionName = "propose"
}

func otherRoot(e *xdr.SorobanAuthorizationEntry) {
	(*e.RootInvocation.Function.ContractFn.Args[2].Bytes)[0] ^= 1
}

func moreCalls(e *xdr.SorobanAuthorizationEntry) {
	e.RootInvocation.SubInvocations = append(e.RootInvocation.SubInvocations, xdr.SorobanAuthorizedInvocation{Function: e.RootInvocation.Function})
}

func twoAuths(a answer) {
	result := a["results"].([]any)[0].(answer)
	list := result["auth"].([]any)
	result["auth"] = append(list, list[0])
}

func refuse(result string) func(answer) {
	return func(a answer) { a["status"], a["errorResultXdr"] = "ERROR", result }
}

func refuseWith(code xdr.TransactionResultCode) func(answer) {
	r := xdr.TransactionResult{FeeCharged: 100, Result: xdr.TransactionResultResult{Code: code}}
	if code == xdr.TransactionResultCodeTxSuccess {
		r.Result.Results = &[]xdr.OperationResult{}
	}
	text, err := xdr.MarshalBase64(r)
	if err != nil {
		panic(err)
	}
	return refuse(text)
}

// oldForm has the same transaction, but for its resources.
func oldForm(e *xdr.TransactionEnvelope) {
	tx := e.V1.Tx
	*e = xdr.TransactionEnvelope{Type: xdr.EnvelopeTypeEnvelopeTypeTxV0, V0: &xdr.TransactionV0Envelope{Tx: xdr.TransactionV0{
		SourceAccountEd25519: *tx.SourceAccount.Ed25519, Fee: tx.Fee, SeqNum: tx.SeqNum, TimeBounds: tx.Cond.TimeBounds, Operations: tx.Operations,
	}}}
}

// disagree is a fee bump that failed around a transaction that succeeded.
func disagree(r *xdr.TransactionResult) {
	inner := xdr.InnerTransactionResult{Result: xdr.InnerTransactionResultResult{Code: xdr.TransactionResultCodeTxSuccess, Results: r.Result.Results}}
	r.Result = xdr.TransactionResultResult{
		Code: xdr.TransactionResultCodeTxFeeBumpInnerFailed, InnerResultPair: &xdr.InnerTransactionResultPair{Result: inner},
	}
}

// TestRejectedIsOnlyARefusal: after anything else the server may have it.
func TestRejectedIsOnlyARefusal(t *testing.T) {
	for want, err := range map[bool]error{
		true:  errors.Join(&stellar.SendError{Code: "txBAD_SEQ"}),
		false: errors.Join(stellar.ErrTryAgainLater, &stellar.ServerError{}, &stellar.AnswerError{}, stellar.ErrBadSequence),
	} {
		if stellar.Rejected(err) != want {
			t.Errorf("it is not %t of %v", want, err)
		}
	}
}
