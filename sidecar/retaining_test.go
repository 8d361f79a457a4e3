package sidecar

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"verbatim/sidecar/stellar"
)

// TestTheTimeOfAnotherNetworkAgesNothing: its validators may have any clock.
func TestTheTimeOfAnotherNetworkAgesNothing(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var call struct {
			ID     json.RawMessage `json:"id"`
			Method string          `json:"method"`
		}
		if err := json.NewDecoder(r.Body).Decode(&call); err != nil {
			t.Error(err)
		}
		result := `{"status":"healthy","latestLedger":7,"latestLedgerCloseTime":"4000000000"}`
		if call.Method == "getNetwork" {
			result = `{"passphrase":"another","protocolVersion":23}`
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"result":%s}`, call.ID, result)
	}))
	defer server.Close()
	client, err := stellar.Dial(server.URL, "this one")
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if at, err := (ledgerTime{client}).LedgerClosedAt(t.Context()); !errors.Is(err, stellar.ErrWrongNetwork) {
		t.Errorf("%v, %v", at, err)
	}
}
