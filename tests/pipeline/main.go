// Command pipeline is an example of what verbatim captures: a small service
// that prices meter readings, keeps a running total for each meter and mints a
// token for each settlement.
//
// It takes time and randomness from the request headers x-verbatim-clock-ms and
// x-verbatim-seed, so the same requests in the same order give the same answers,
// byte for byte. Without the headers it uses the real clock and real
// randomness. Its ledger is in memory and begins empty.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// shutdownGrace bounds the wait for open requests after SIGTERM.
const shutdownGrace = 10 * time.Second

// readHeaderTimeout bounds how long a client may take to send its header list.
const readHeaderTimeout = 10 * time.Second

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "pipeline:", err)
		}
		os.Exit(2)
	}
}

// run serves until ctx ends.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("pipeline", flag.ContinueOnError)
	flags.SetOutput(stderr)
	listen := flags.String("listen", "127.0.0.1:0", "`address` to listen on; port 0 lets the kernel choose")
	protocol := flags.String("protocol", "h1", "h1 (HTTP/1.1) or h2 (HTTP/2 without TLS, by prior knowledge)")
	misbehave := flags.String("misbehave", "none", "none, wall-clock, random, tariff or global-state")
	if err := flags.Parse(args); err != nil {
		return err
	}
	protocols, err := parseProtocol(*protocol)
	if err != nil {
		return err
	}
	fault, err := parseFault(*misbehave)
	if err != nil {
		return err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", *listen)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	if _, err := fmt.Fprintln(stdout, "listening", listener.Addr()); err != nil {
		return errors.Join(fmt.Errorf("say where it listens: %w", err), listener.Close())
	}
	return serve(ctx, listener, &http.Server{
		Handler:           newService(fault).handler(),
		Protocols:         protocols,
		ReadHeaderTimeout: readHeaderTimeout,
	})
}

// serve owns the listener and returns when ctx has ended and the open requests
// are answered.
func serve(ctx context.Context, listener net.Listener, server *http.Server) error {
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownGrace)
	defer cancel()
	err := server.Shutdown(grace)
	if served := <-failed; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	if err != nil {
		return fmt.Errorf("shut down: %w", err)
	}
	return nil
}

func parseProtocol(name string) (*http.Protocols, error) {
	protocols := new(http.Protocols)
	switch name {
	case "h1":
		protocols.SetHTTP1(true)
	case "h2":
		protocols.SetUnencryptedHTTP2(true)
	default:
		return nil, fmt.Errorf("protocol %q is unknown: give h1 or h2", name)
	}
	return protocols, nil
}
