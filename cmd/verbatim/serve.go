package main

import (
	"fmt"
	"io"
	"log/slog"

	"github.com/spf13/cobra"

	"verbatim/sidecar"
	"verbatim/sidecar/config"
)

func serveCommand() *cobra.Command {
	settings := config.Default()
	c := &cobra.Command{
		Use:   "serve --log DIR --socket PATH --pipeline.address HOST:PORT",
		Args:  flagsAlone,
		Short: "Record what Envoy hands over",
		Long: `Serves Envoy's ext_proc filter on a Unix socket and records every exchange in
the log. A request goes on to the pipeline, and an answer to the client, only
after its entry is durable; what can't be recorded is answered with 503.

The log must exist (verbatim init). Settings come from --config FILE (YAML) and
from flags; a flag wins. In the file "queue.max-wait" is queue: {max_wait: ...}.

The admin port (loopback by default) serves the audit API over gRPC, /livez,
/readyz and /metrics. On SIGTERM or SIGINT: no new exchanges, those in flight
are finished, the log is sealed.

` + exitCodes,
		Example: `  verbatim serve --config /etc/verbatim/verbatim.yaml
  verbatim serve --log DIR --socket /run/verbatim/verbatim.sock --pipeline.address 127.0.0.1:8080`,
	}
	settings.BindFlags(c.Flags())
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := settings.Resolve(cmd.Flags()); err != nil {
			return err
		}
		logger, err := newLogger(settings, cmd.ErrOrStderr())
		if err != nil {
			return err
		}
		return sidecar.Run(cmd.Context(), settings, version(), logger)
	}
	return c
}

func newLogger(c config.Config, w io.Writer) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.LogLevel)); err != nil {
		return nil, fmt.Errorf("read log_level: %w", err)
	}
	options := &slog.HandlerOptions{Level: level}
	if c.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, options)), nil
	}
	return slog.New(slog.NewTextHandler(w, options)), nil
}
