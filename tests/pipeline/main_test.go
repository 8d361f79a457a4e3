package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestServesProtocol(t *testing.T) {
	for name, major := range map[string]int{"h1": 1, "h2": 2} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			out, stdout := io.Pipe()
			ended := make(chan error, 1)
			go func() { ended <- run(ctx, []string{"--protocol", name}, stdout, io.Discard) }()
			line, err := bufio.NewReader(out).ReadString('\n')
			addr, ok := strings.CutPrefix(strings.TrimSpace(line), "listening 127.0.0.1:")
			if err != nil || !ok {
				t.Fatalf("first line %q, %v", line, err)
			}
			checkHealth(t, "127.0.0.1:"+addr, name, major)
			cancel()
			if err := <-ended; err != nil {
				t.Errorf("run = %v after its context ended", err)
			}
		})
	}
}

func checkHealth(t *testing.T, addr, protocol string, major int) {
	t.Helper()
	protocols, err := parseProtocol(protocol)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{Protocols: protocols}
	defer transport.CloseIdleConnections()
	resp, err := (&http.Client{Transport: transport}).Get("http://" + addr + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != 200 || resp.ProtoMajor != major || resp.Header.Get("Date") != "" {
		t.Errorf("status %d over %s with date %q, want 200 over HTTP/%d and no date", resp.StatusCode, resp.Proto, resp.Header.Get("Date"), major)
	}
}

func TestBadFlags(t *testing.T) {
	for want, args := range map[string][]string{
		`protocol "h3" is unknown`:          {"--protocol", "h3"},
		`misbehave "often" is unknown`:      {"--misbehave", "often"},
		"listen: ":                          {"--listen", "127.0.0.1:99999"},
		"flag provided but not defined: -x": {"-x"},
	} {
		if err := run(t.Context(), args, io.Discard, io.Discard); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("run %v = %v, want %q", args, err, want)
		}
	}
}
