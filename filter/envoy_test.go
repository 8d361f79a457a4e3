package filter_test

import (
	"bytes"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"

	"verbatim/filter"
)

// TestPipelineGetsWhatSidecarSees sends what Envoy might tidy up, and what might
// make the router change a request after the capture.
func TestPipelineGetsWhatSidecarSees(t *testing.T) {
	pipeline := startRaw(t, "x-trailer: 9\r\n\r\n", "HTTP/1.1 200 OK\r\nserver: mine\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nx-end: 5\r\n\r\n")
	sidecar := startProcessor(t, seed())
	envoy := startCaptured(t, pipeline.listener.Addr().String(), filter.H1, filter.Capture{Sidecar: sidecar.socket})

	answer := sendRaw(t, envoy.Addr, strings.Join([]string{
		"POST /a%2Fb//c/../d?x=%zz&y HTTP/1.1",
		"Host: h",
		"Connection: close",
		"X-Verbatim-Seed: 1",
		"X-Request-Id: abc",
		"X-Dup: 2", "X-Other: 3", "X-Dup: 1",
		"x_under: 1",
		"X-Forwarded-For: 10.0.0.1",
		"X-Envoy-Upstream-Rq-Timeout-Ms: 1",
		"X-Envoy-Upstream-Stream-Duration-Ms: 1",
		"Transfer-Encoding: chunked",
		"", "3", "abc", "0", "X-Trailer: 9", "", "",
	}, "\r\n"))
	if !strings.Contains(answer, "\r\nserver: mine\r\n") || !strings.HasSuffix(answer, "2\r\nhi\r\n0\r\nx-end: 5\r\n\r\n") {
		t.Errorf("the client got %q, want the pipeline's server header, body and trailer", answer)
	}
	want := strings.Join([]string{
		"POST /a%2Fb//c/../d?x=%zz&y HTTP/1.1",
		"host: h",
		"x-request-id: abc",
		"x-dup: 2", "x-other: 3", "x-dup: 1",
		"x_under: 1",
		"x-forwarded-for: 10.0.0.1",
		"x-forwarded-proto: http",
		"x-verbatim-seed: 42",
		"transfer-encoding: chunked",
		"", "3", "abc", "0", "x-trailer: 9", "", "",
	}, "\r\n")
	if got, _ := pipeline.octets(); got != want {
		t.Errorf("the pipeline got\n%q, want\n%q", got, want)
	}
	seen := sidecar.requests()
	if got := wire(seen); got != want {
		t.Errorf("what the sidecar saw, written out, is\n%q, want\n%q", got, want)
	}
	checkAttributes(t, seen, pipeline.listener.Addr().String())
}

// wire writes out a chunked request as the sidecar saw it, with the seed set.
func wire(seen []*extprocv3.ProcessingRequest) string {
	var line, fields, body, trailers string
	for _, r := range seen {
		for _, h := range r.GetRequestHeaders().GetHeaders().GetHeaders() {
			switch value := string(h.RawValue); h.Key {
			case ":method":
				line = value + line
			case ":path":
				line += " " + value + " HTTP/1.1\r\n"
			case ":authority":
				fields = "host: " + value + "\r\n" + fields
			case ":scheme", "x-verbatim-seed":
			case "x-envoy-upstream-stream-duration-ms":
				// Up to 1.39 Envoy's router takes this one from external clients too, behind the sidecar; package
				// capture does not record it.
			default:
				fields += h.Key + ": " + value + "\r\n"
			}
		}
		body += string(r.GetRequestBody().GetBody())
		for _, h := range r.GetRequestTrailers().GetTrailers().GetHeaders() {
			trailers += h.Key + ": " + string(h.RawValue) + "\r\n"
		}
	}
	return line + fields + "x-verbatim-seed: 42\r\ntransfer-encoding: chunked\r\n\r\n3\r\n" + body + "\r\n0\r\n" + trailers + "\r\n"
}

func checkAttributes(t *testing.T, seen []*extprocv3.ProcessingRequest, pipeline string) {
	t.Helper()
	got := attributes(seen)
	for name, want := range map[string]string{
		"request.protocol":      "HTTP/1.1",
		"response.code_details": "via_upstream",
		"upstream.address":      pipeline,
	} {
		if value := got[name].GetStringValue(); value != want {
			t.Errorf("attribute %s = %q, want %q", name, value, want)
		}
	}
	if source := got["source.address"].GetStringValue(); !strings.HasPrefix(source, "127.0.0.1:") {
		t.Errorf("attribute source.address = %q, want the peer's own address and not that in x-forwarded-for", source)
	}
	if got["upstream.request_attempt_count"].GetNumberValue() != 1 || got["response.flags"] == nil {
		t.Errorf("attributes %v, want one attempt, and flags", got)
	}
}

// TestNoRetry asks for retries by header, as a client of a mesh may.
func TestNoRetry(t *testing.T) {
	pipeline := startRaw(t, "\r\n\r\n", "")
	sidecar := startProcessor(t, seed())
	envoy := startCaptured(t, pipeline.listener.Addr().String(), filter.H1, filter.Capture{Sidecar: sidecar.socket})
	answer := sendRaw(t, envoy.Addr, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"+
		"X-Forwarded-For: 10.0.0.1\r\nX-Envoy-Retry-On: reset,5xx,connect-failure\r\nX-Envoy-Max-Retries: 5\r\n\r\n")
	if !strings.HasPrefix(answer, "HTTP/1.1 503 ") {
		t.Errorf("the client got %q, want 503", answer)
	}
	got, accepted := pipeline.octets()
	if accepted != 1 {
		t.Errorf("the pipeline was called %d times, want once", accepted)
	}
	if want := "GET / HTTP/1.1\r\nhost: h\r\nx-forwarded-for: 10.0.0.1\r\nx-forwarded-proto: http\r\nx-verbatim-seed: 42\r\n\r\n"; got != want {
		t.Errorf("the pipeline got\n%q, want\n%q", got, want)
	}
	if details := attributes(sidecar.requests())["response.code_details"].GetStringValue(); !strings.HasPrefix(details, "upstream_reset_before_response_started") {
		t.Errorf("response.code_details = %q: Envoy's own answer must be told from the pipeline's", details)
	}
}

func TestEventSize(t *testing.T) {
	const limit = 3 << 20 // above Envoy's own limit of 1 MiB
	for _, protocol := range []filter.Protocol{filter.H1, filter.H2} {
		t.Run(protocol.String(), func(t *testing.T) {
			pipeline, calls := startEcho(t, protocol)
			sidecar := startProcessor(t, seed())
			envoy := startCaptured(t, pipeline, protocol, filter.Capture{Sidecar: sidecar.socket, MaxEventBytes: limit})
			http := client(t, protocol)

			body := bytes.Repeat([]byte("verbatim"), limit/8)
			if status, got := post(t, http, envoy.Addr+"/", body); status != 200 || !bytes.Equal(got, body) {
				t.Errorf("a body of the limit: status %d and %d octets, want 200 and %d octets", status, len(got), len(body))
			}
			if status, _ := post(t, http, envoy.Addr+"/", bytes.Repeat(body, 2)); status != 413 {
				t.Errorf("a body of twice the limit: status %d, want 413", status)
			}
			if calls() != 1 {
				t.Errorf("the pipeline was called %d times, want once", calls())
			}
			if status, _ := post(t, http, envoy.Addr+"/twice", body); status != 500 {
				t.Errorf("an answer of twice the limit: status %d, want 500", status)
			}
		})
	}
}

func TestSidecarMissing(t *testing.T) {
	for _, c := range []struct {
		name          string
		profile       filter.Profile
		status, calls int
	}{
		{"fail closed", filter.Strict, http.StatusServiceUnavailable, 0},
		{"fail open", filter.FailOpen, http.StatusOK, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			pipeline, calls := startEcho(t, filter.H1)
			nobody := filepath.Join(t.TempDir(), "nobody.sock")
			envoy := startCaptured(t, pipeline, filter.H1, filter.Capture{Sidecar: nobody, Profile: c.profile})
			if status, _ := post(t, client(t, filter.H1), envoy.Addr+"/", []byte("x")); status != c.status || calls() != c.calls {
				t.Errorf("status %d and %d calls, want %d and %d", status, calls(), c.status, c.calls)
			}
			for _, name := range []string{"streams_failed", "failure_mode_allowed"} {
				if name == "failure_mode_allowed" && c.profile == filter.Strict {
					continue
				}
				if n, err := envoy.Counter(t.Context(), filter.CounterPrefix+name); err != nil || n != 1 {
					t.Errorf("counter %s = %d, %v, want 1", name, n, err)
				}
			}
		})
	}
}

// TestForbiddenHeader has a sidecar that sets what it must not: the request
// must not pass without what the sidecar believes it to have.
func TestForbiddenHeader(t *testing.T) {
	for _, key := range []string{":path", "host", "x-envoy-retry-on"} {
		t.Run(key, func(t *testing.T) {
			pipeline, calls := startEcho(t, filter.H1)
			sidecar := startProcessor(t, &corev3.HeaderValue{Key: key, RawValue: []byte("5xx")})
			envoy := startCaptured(t, pipeline, filter.H1, filter.Capture{Sidecar: sidecar.socket})
			if status, _ := post(t, client(t, filter.H1), envoy.Addr+"/", []byte("x")); status < 500 || calls() != 0 {
				t.Errorf("status %d and %d calls of the pipeline, want a 5xx and none", status, calls())
			}
		})
	}
}

func post(t *testing.T, c *http.Client, url string, body []byte) (int, []byte) {
	t.Helper()
	resp, err := c.Post("http://"+url, "application/octet-stream", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, got
}
