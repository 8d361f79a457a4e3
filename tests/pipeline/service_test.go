package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// clock is 2026-03-01T17:30:00.250Z, in the peak.
const clock = "1772386200250"

// call sends one request with the recorded headers and returns the answer.
func call(t *testing.T, s *service, method, path, body string, headers ...string) (int, string) {
	t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("x-verbatim-clock-ms", clock)
	r.Header.Set("x-verbatim-seed", "42")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	s.handler().ServeHTTP(w, r)
	answer, err := io.ReadAll(w.Result().Body)
	if err != nil {
		t.Fatal(err)
	}
	return w.Code, string(answer)
}

func TestReadings(t *testing.T) {
	s := newService(faultNone)
	for i, want := range []string{
		`{"meter_id":"m1","register":"1.8.0","line":1,"kwh":1.500,"total_kwh":1.500,"tariff":"peak","price_micro":630000,"settled_micro":630000,"token":"28403138652098129495","settled_at":"2026-03-01T17:30:00.25Z"}`,
		`{"meter_id":"m1","register":"1.8.0","line":2,"kwh":1.500,"total_kwh":3.000,"tariff":"peak","price_micro":630000,"settled_micro":1260000,"token":"28403138652098129495","settled_at":"2026-03-01T17:30:00.25Z"}`,
	} {
		status, got := call(t, s, "POST", "/v1/readings", `{"meter_id":"m1","kwh":1.5,"register":"1.8.0"}`)
		if status != 200 || got != want+"\n" {
			t.Errorf("reading %d: %d\n%s, want\n%s", i, status, got, want)
		}
		if _, meter := call(t, s, "GET", "/v1/meters/m1", ""); meter != got {
			t.Errorf("meter after reading %d:\n%s, want the newest line\n%s", i, meter, got)
		}
	}
}

func TestBatch(t *testing.T) {
	s := newService(faultNone)
	status, got := call(t, s, "POST", "/v1/batches", `{"readings":[{"meter_id":"a","kwh":1},{"meter_id":"b","kwh":2},{"meter_id":"a","kwh":0.001}]}`)
	var answer struct{ Settlements []settlement }
	if err := json.Unmarshal([]byte(got), &answer); status != 200 || err != nil || len(answer.Settlements) != 3 {
		t.Fatalf("batch: %d, %v: %s", status, err, got)
	}
	lines := answer.Settlements
	if lines[2].MeterID != "a" || lines[2].Line != 2 || lines[2].TotalKWh != 1001 || lines[1].Line != 1 {
		t.Errorf("batch settled %+v", lines)
	}
	if lines[0].Token == lines[2].Token {
		t.Error("two readings of one meter in one batch have the same token")
	}
}

func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		name, method, path, body string
		status                   int
		want                     string
		headers                  []string
	}{
		{"not JSON", "POST", "/v1/readings", "x", 400, "read body", nil},
		{"no meter", "POST", "/v1/readings", `{"kwh":1}`, 400, "reading 0: meter_id is missing", nil},
		{"negative", "POST", "/v1/readings", `{"meter_id":"m","kwh":-1}`, 400, "kwh -1 is not a decimal number", nil},
		{"too fine", "POST", "/v1/readings", `{"meter_id":"m","kwh":1.0005}`, 400, "more than three decimals", nil},
		{"too much", "POST", "/v1/readings", `{"meter_id":"m","kwh":1000000.001}`, 400, "from 0 to 1000000", nil},
		{"exponent", "POST", "/v1/readings", `{"meter_id":"m","kwh":1e3}`, 400, "kwh 1e3 is not a decimal number", nil},
		{"empty batch", "POST", "/v1/batches", `{"readings":[]}`, 400, "readings are missing", nil},
		{"bad second reading", "POST", "/v1/batches", `{"readings":[{"meter_id":"m","kwh":1},{"kwh":1}]}`, 400, "reading 1: meter_id is missing", nil},
		{"bad clock", "POST", "/v1/readings", `{"meter_id":"m","kwh":1}`, 400, "is not a number of milliseconds", []string{clockHeader, "soon"}},
		{"bad seed", "POST", "/v1/readings", `{"meter_id":"m","kwh":1}`, 400, "is not a number of 64 bits", []string{seedHeader, "-1"}},
		{"unknown path", "GET", "/v2", "", 404, "not found", nil},
		{"wrong method", "PUT", "/v1/readings", "", 405, "Method Not Allowed", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newService(faultNone)
			status, got := call(t, s, c.method, c.path, c.body, c.headers...)
			if status != c.status || !strings.Contains(got, c.want) {
				t.Errorf("%d %s, want %d and %q", status, got, c.status, c.want)
			}
			if status, _ := call(t, s, "GET", "/v1/meters/m", ""); status != http.StatusNotFound {
				t.Errorf("a refused request left a settlement: status %d of its meter", status)
			}
		})
	}
}

func TestHealth(t *testing.T) {
	if status, got := call(t, newService(faultNone), "GET", "/healthz", ""); status != 200 || got != "{\"status\":\"ok\"}\n" {
		t.Errorf("%d %s", status, got)
	}
}

// TestFaults gives each misbehaving pipeline and a good one the same requests,
// and names the fields in which the answers differ.
func TestFaults(t *testing.T) {
	bodies := []string{`{"meter_id":"a","kwh":2}`, `{"meter_id":"b","kwh":2}`}
	for f, want := range map[fault]string{
		faultNone:        "",
		faultWallClock:   "settled_at",
		faultRandom:      "token",
		faultTariff:      "price_micro",
		faultGlobalState: "line",
	} {
		t.Run(string(f), func(t *testing.T) {
			good, bad := newService(faultNone), newService(f)
			differs := map[string]bool{}
			for _, body := range bodies {
				for name := range differences(t, good, bad, body) {
					differs[name] = true
				}
			}
			if want == "" && len(differs) > 0 || want != "" && !differs[want] {
				t.Errorf("answers differ in %v, want %q", differs, want)
			}
		})
	}
}

// differences returns the fields in which two services' answers differ.
func differences(t *testing.T, a, b *service, body string) map[string]bool {
	t.Helper()
	var fields [2]map[string]any
	for i, s := range []*service{a, b} {
		_, answer := call(t, s, "POST", "/v1/readings", body)
		if err := json.Unmarshal([]byte(answer), &fields[i]); err != nil {
			t.Fatalf("%v: %s", err, answer)
		}
	}
	differs := map[string]bool{}
	for name, value := range fields[0] {
		if fields[1][name] != value {
			differs[name] = true
		}
	}
	return differs
}

func TestWithoutHeaders(t *testing.T) {
	tokens := map[string]bool{}
	for range 3 {
		in, err := readInput(http.Header{}, faultNone)
		if err != nil || in.now.IsZero() {
			t.Fatalf("input %+v, %v, want the real clock", in, err)
		}
		tokens[in.token("m", 0)] = true
	}
	if len(tokens) != 3 {
		t.Errorf("three requests without a seed gave %d tokens, want 3", len(tokens))
	}
}
