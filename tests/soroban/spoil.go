package soroban

import (
	"encoding/json"
	"net/http"
)

// spoil answers without the node.
func spoil(w http.ResponseWriter, what Fault, request []byte) {
	switch what {
	case Status500:
		reply(w, http.StatusInternalServerError, []byte("internal error"))
	case Status429:
		reply(w, http.StatusTooManyRequests, []byte("too many requests"))
	case Nonsense:
		reply(w, http.StatusOK, []byte("<html>It works!</html>"))
	case WrongShape:
		reply(w, http.StatusOK, envelope(request, []int{1, 2, 3}))
	case GarbageXDR:
		reply(w, http.StatusOK, envelope(request, garbage))
	case Endless:
		endless(w)
	default:
		panic(http.ErrAbortHandler)
	}
}

// garbage has every field of every answer, and nothing that can be decoded.
var garbage = map[string]any{
	"status": "SUCCESS", "passphrase": Passphrase, "protocolVersion": 28, "sequence": 1, "latestLedger": 1, "ledger": 1,
	"latestLedgerCloseTime": "1", "createdAt": "1", "closeTime": "1", "hash": "00", "txHash": "00", "minResourceFee": "1",
	"envelopeXdr": "!", "resultXdr": "AAAA", "resultMetaXdr": "!", "errorResultXdr": "!", "transactionData": "AAAA",
	"results": []any{map[string]any{"xdr": "!", "auth": []string{"AAAA"}}},
	"entries": []any{map[string]any{"key": "AAAA", "xdr": "!", "lastModifiedLedgerSeq": 1}},
}

func envelope(request []byte, result any) []byte {
	var call struct{ ID json.RawMessage }
	_ = json.Unmarshal(request, &call) // it was read before
	answer, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": call.ID, "result": result})
	if err != nil {
		panic(err) // of our own making
	}
	return answer
}

// endless writes until the client has enough.
func endless(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	rest := make([]byte, 64<<10)
	for i := range rest {
		rest[i] = ' '
	}
	for {
		if _, err := w.Write(rest); err != nil {
			return
		}
	}
}
