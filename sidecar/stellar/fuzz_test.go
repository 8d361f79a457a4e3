package stellar

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"testing"

	protocol "github.com/stellar/go-stellar-sdk/protocols/rpc"
	"github.com/stellar/go-stellar-sdk/xdr"

	"verbatim/contracts"
)

const fuzzPassphrase = "Verbatim Test Network ; November 2026"

// FuzzAnswers: whatever XDR a server puts into its answers, reading it ends with a
// value or an error.
func FuzzAnswers(f *testing.F) {
	for _, text := range recordedXDR(f) {
		if raw, err := base64.StdEncoding.DecodeString(text); err == nil {
			f.Add(raw)
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		text := base64.StdEncoding.EncodeToString(raw)
		readAnyEntry(raw, text)
		for _, answer := range []protocol.SimulateTransactionResponse{
			{LatestLedger: 1, TransactionDataXDR: text},
			{LatestLedger: 1, MinResourceFee: 1, TransactionDataXDR: emptyResources, Results: []protocol.SimulateHostFunctionResult{{AuthXDR: &[]string{text}}}},
		} {
			if s, err := readSimulation(answer); err == nil {
				_ = s.restores()
				_, _, _ = fuzzOperation().asked(s.auth, "")
			}
		}
		_ = (&Client{}).refusal(text)
		_ = contractError([]string{text})
		readAnyOutcome(t, raw, text)
	})
}

// recordedXDR is each text of the recording that may be XDR.
func recordedXDR(f *testing.F) []string {
	content, err := os.ReadFile("testdata/session.json")
	if err != nil {
		f.Fatal(err)
	}
	var tree any
	if err := json.Unmarshal(content, &tree); err != nil {
		f.Fatal(err)
	}
	var texts []string
	var walk func(any)
	walk = func(node any) {
		switch v := node.(type) {
		case string:
			texts = append(texts, v)
		case []any:
			for _, item := range v {
				walk(item)
			}
		case map[string]any:
			for key, item := range v {
				texts = append(texts, key)
				walk(item)
			}
		}
	}
	walk(tree)
	return texts
}

var emptyResources = func() string {
	text, err := encode(xdr.SorobanTransactionData{})
	if err != nil {
		panic(err)
	}
	return text
}()

func fuzzOperation() Operation {
	k := &Contract{address: xdr.ScAddress{Type: xdr.ScAddressTypeScAddressTypeContract, ContractId: &xdr.ContractId{}}}
	return k.invoke(contracts.FunctionCommit)
}

// readAnyEntry reads raw as an entry that was asked for.
func readAnyEntry(raw []byte, text string) {
	var data xdr.LedgerEntryData
	if decode(raw, &data) != nil {
		return
	}
	key, err := data.LedgerKey()
	if err != nil {
		return
	}
	keyText, err := encode(key)
	if err != nil {
		return
	}
	until := uint32(1)
	s, err := readEntry(protocol.LedgerEntryResult{KeyXDR: keyText, DataXDR: text, LiveUntilLedgerSeq: &until}, 1)
	if err != nil || s.data.Type != xdr.LedgerEntryTypeContractData {
		return
	}
	_, _ = readLog(s)
	_, _ = readRoot(s.data.ContractData.Val)
	_, _ = readCode(s.data.ContractData.Val)
}

// readAnyOutcome reads raw as envelope and as result. What is a receipt must hold
// what its parts say.
func readAnyOutcome(t *testing.T, raw []byte, text string) {
	answer := protocol.GetTransactionResponse{LatestLedger: 1, LatestLedgerCloseTime: 1, LedgerCloseTime: 1}
	answer.Status, answer.Ledger, answer.DiagnosticEventsXDR = protocol.TransactionStatusFailed, 1, []string{text}
	var e xdr.TransactionEnvelope
	if decode(raw, &e) == nil {
		_, _ = hashed(fuzzPassphrase, [32]byte{}, e)
		answer.EnvelopeXDR = text
		_, _ = readOutcome(fuzzPassphrase, [32]byte{}, answer)
	}
	var r xdr.TransactionResult
	if decode(raw, &r) == nil {
		_, _, _ = resultCode(r)
	}
	if call, err := CheckReceipt(fuzzPassphrase, "", [32]byte{}, raw, raw); err == nil {
		t.Errorf("it is a receipt of %+v", call)
	}
}
