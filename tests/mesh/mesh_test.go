package mesh

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"go.uber.org/goleak"

	"verbatim/filter"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(Main(m)) }

func TestEnvoyBeforePipeline(t *testing.T) {
	for _, protocol := range []filter.Protocol{filter.H1, filter.H2} {
		t.Run(protocol.String(), func(t *testing.T) {
			pipeline := StartTestPipeline(t, PipelineOptions{Protocol: protocol})
			envoy := StartTestEnvoy(t, EnvoyOptions{Bootstrap: filter.Bootstrap{Pipeline: pipeline.Addr, PipelineProtocol: protocol}})

			const events, meters = 300, 7
			var calls int
			result, err := Load(t.Context(), LoadOptions{
				Addr: envoy.Addr, Connections: 8, Events: events, Meters: meters,
				Progress: func(int) { calls++ },
			})
			if err != nil {
				t.Fatal(err)
			}
			if result.Done != events || len(result.Failed) != 0 || len(result.Latencies) != events || calls != events {
				t.Fatalf("load: done %d, failed %v, %d latencies, %d calls of Progress, want %d of each and none failed (%v)",
					result.Done, result.Failed, len(result.Latencies), calls, events, result.FirstError)
			}
			if got := meterLines(t, envoy.Addr, meters); got != events {
				t.Errorf("the pipeline settled %d readings, want %d", got, events)
			}
			total, err := envoy.Counter(t.Context(), "http."+filter.HCMStatPrefix+".downstream_rq_total")
			if err != nil || total != events+meters {
				t.Errorf("Envoy counted %d requests (%v), want %d", total, err, events+meters)
			}
			assertStops(t, envoy.Process)
			assertStops(t, pipeline.Process)
		})
	}
}

// meterLines sums the settlements of all meters of a load.
func meterLines(t *testing.T, addr string, meters int) int {
	t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	sum := 0
	for n := range meters {
		resp, err := client.Get("http://" + addr + "/v1/meters/" + MeterID(n))
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		var meter struct{ Line int }
		if err := errors.Join(err, resp.Body.Close(), json.Unmarshal(body, &meter)); err != nil {
			t.Fatalf("meter %d: %v: %s", n, err, body)
		}
		sum += meter.Line
	}
	return sum
}

func assertStops(t *testing.T, p *Process) {
	t.Helper()
	pid := p.PID()
	if err := p.Stop(); err != nil {
		t.Error(err)
	}
	if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("process %d is still there after Stop: %v", pid, err)
	}
}

func TestEnvoyRefusesConfiguration(t *testing.T) {
	_, err := StartEnvoy(t.Context(), EnvoyOptions{YAML: []byte("no_such_field: 1\n"), Dir: t.TempDir()})
	if err == nil || !strings.Contains(err.Error(), "no_such_field") {
		t.Fatalf("StartEnvoy = %v, want Envoy's own words on the unknown field", err)
	}
}

func TestEnvoyPathFromEnvironment(t *testing.T) {
	path := filepath.Join(t.TempDir(), "envoy")
	t.Setenv(EnvoyVariable, path)
	if _, err := EnvoyPath(); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), path) {
		t.Errorf("EnvoyPath = %v, want one sentence that names %s", err, path)
	}
	if err := os.WriteFile(path, nil, 0o700); err != nil {
		t.Fatal(err)
	}
	if got, err := EnvoyPath(); got != path || err != nil {
		t.Errorf("EnvoyPath = %q, %v, want %q", got, err, path)
	}
}

func TestKilledEnvoyFreesItsPort(t *testing.T) {
	envoy := StartTestEnvoy(t, EnvoyOptions{Bootstrap: filter.Bootstrap{Pipeline: "127.0.0.1:1"}})
	envoy.Kill()
	if err := envoy.Wait(); !endedBy(err, syscall.SIGKILL) {
		t.Errorf("Wait = %v, want the signal", err)
	}
	again := StartTestEnvoy(t, EnvoyOptions{Bootstrap: filter.Bootstrap{Pipeline: "127.0.0.1:1", Listen: envoy.Addr}})
	if again.Addr != envoy.Addr {
		t.Errorf("second Envoy listens on %s, want %s", again.Addr, envoy.Addr)
	}
}

func TestUnknownCounter(t *testing.T) {
	envoy := StartTestEnvoy(t, EnvoyOptions{Bootstrap: filter.Bootstrap{Pipeline: "127.0.0.1:1"}})
	if _, err := envoy.Counter(t.Context(), "no.such.counter"); err == nil {
		t.Error("Counter of an unknown name gives no error")
	}
}

func TestPollSaysWhatItWaitedFor(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	calls := 0
	err := Poll(ctx, "the sky to fall", func() (bool, error) {
		calls++
		cancel()
		return false, nil
	})
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "the sky to fall") || calls != 1 {
		t.Errorf("Poll = %v after %s calls", err, strconv.Itoa(calls))
	}
}
