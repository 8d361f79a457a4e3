package e2e

import (
	"encoding/json"
	"io"
	"net/http"
	"testing"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/tests/mesh"
)

// settled is the number of settlements that the pipeline has made, asked past Envoy.
func settled(s *site) (lines uint64) {
	s.t.Helper()
	for n := range clientMeters {
		status, body := getPage(s.t, "http://"+s.pipeline.Addr+"/v1/meters/"+mesh.MeterID(n))
		var last struct{ Line uint64 }
		if err := json.Unmarshal([]byte(body), &last); err != nil || status != http.StatusOK {
			s.t.Fatalf("meter %d: %d, %v: %s", n, status, err, body)
		}
		lines += last.Line
	}
	return lines
}

func getPage(t *testing.T, url string) (status int, body string) {
	t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	read, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(read)
}

// checkDelivered requires the log to agree with the client and with the
// pipeline, which got what was answered and what is closed with MAYBE, and no more.
func checkDelivered(t *testing.T, s *site, c *client, log string) {
	t.Helper()
	c.check(t, log)
	r := s.verify(0, log)
	if r.Open != 0 || r.Requests != r.Responses+r.Aborts {
		t.Errorf("%d requests, %d responses, %d aborts, %d open", r.Requests, r.Responses, r.Aborts, r.Open)
	}
	not := closedAs(recordedExchanges(t, log), logv1.Delivered_DELIVERED_NO)
	t.Logf("%d requests, %d answered, %d aborted, %d of them never let through", r.Requests, r.Responses, r.Aborts, not)
	if n := settled(s); n != r.Requests-not {
		t.Errorf("%d settlements, and %d requests were let through as recorded", n, r.Requests-not)
	}
	if v := s.replayInto(0, log, ""); v.Result != "VERIFIED" {
		t.Errorf("verdict %+v", v)
	}
}

// closedAs counts the requests that are closed by an Abort of that kind.
func closedAs(list []*recorded, d logv1.Delivered) (n uint64) {
	for _, x := range list {
		if x.abort.GetDelivered() == d {
			n++
		}
	}
	return n
}
