package main

import (
	"github.com/spf13/cobra"

	"verbatim/filter"
)

func configCommand() *cobra.Command {
	return group(&cobra.Command{
		Use:   "config",
		Short: "Print configuration of the programs around verbatim",
		Long: `Prints the configuration that other programs need to be recorded, so that
nobody has to write it by hand. verbatim's own settings are serve's: see
verbatim serve --help.

` + exitCodes,
		Example: "  verbatim config envoy --listen 0.0.0.0:10000 --pipeline 127.0.0.1:8080 --sidecar /run/verbatim/verbatim.sock",
	}, envoyCommand())
}

func envoyCommand() *cobra.Command {
	var b filter.Bootstrap
	var capture filter.Capture
	var protocol, profile, position string
	var maxEventBytes uint32
	c := &cobra.Command{
		Use:   "envoy --listen ADDR --pipeline HOST:PORT --sidecar PATH",
		Short: "Print a complete Envoy bootstrap",
		Long: `Prints a bootstrap for Envoy, as YAML: a listener whose requests are captured
by the filter ` + filter.Name + `, the pipeline's cluster, the sidecar's, and the
admin endpoint. Nothing is retried, and what can't be recorded does not pass
unless --profile says otherwise: it must be serve's.

Timeouts: --message-timeout bounds one wait for the sidecar and must exceed
serve's queue.max_wait; --route-timeout bounds the pipeline's answer.

` + exitCodes,
		Example: `  verbatim config envoy --listen 0.0.0.0:10000 --pipeline 127.0.0.1:8080 \
      --sidecar /run/verbatim/verbatim.sock > envoy.yaml
  envoy --mode validate -c envoy.yaml`,
		Args: flagsAlone,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			if b.PipelineProtocol, err = filter.ParseProtocol(protocol); err != nil {
				return err
			}
			if capture.Profile, err = filter.ParseProfile(profile); err != nil {
				return err
			}
			if capture.Position, err = filter.ParsePosition(position); err != nil {
				return err
			}
			capture.MaxEventBytes = maxEventBytes
			b.Capture = &capture
			bootstrap, err := b.Proto()
			if err != nil {
				return err
			}
			out, err := filter.YAML(bootstrap)
			if err != nil {
				return err
			}
			_, err = cmd.OutOrStdout().Write(out)
			return err
		},
	}
	f := c.Flags()
	f.StringVar(&b.Listen, "listen", "", "`IP:port` that clients connect to")
	f.StringVar(&b.Pipeline, "pipeline", "", "`host:port` of the pipeline")
	f.StringVar(&protocol, "pipeline-protocol", "h1", "what the pipeline speaks: h1 or h2")
	f.StringVar(&capture.Sidecar, "sidecar", "", "`path` of the sidecar's Unix socket")
	f.StringVar(&b.Admin, "admin", "127.0.0.1:9901", "`IP:port` of Envoy's admin endpoint")
	f.StringVar(&profile, "profile", "strict", "as serve's: strict, fail-open or observe")
	f.StringVar(&capture.ClockHeader, "clock-header", filter.DefaultClockHeader, "`header` that Envoy itself sets in profile observe, as serve's")
	f.StringVar(&capture.SeedHeader, "seed-header", filter.DefaultSeedHeader, "`header` that Envoy itself sets in profile observe, as serve's")
	f.StringVar(&position, "position", "downstream", "as serve's: downstream or upstream")
	f.DurationVar(&capture.MessageTimeout, "message-timeout", filter.DefaultMessageTimeout, "bound of one wait for the sidecar")
	f.DurationVar(&b.RouteTimeout, "route-timeout", filter.DefaultRouteTimeout, "bound of the pipeline's answer")
	f.Uint32Var(&maxEventBytes, "max-event-bytes", filter.DefaultMaxEventBytes, "largest body, in octets, as serve's max_event_bytes")
	f.Uint64Var(&capture.MaxBytesInFlight, "max-bytes-in-flight", filter.DefaultMaxBytesInFlight, "octets in flight, as serve's max_bytes_in_flight; bounds Envoy's heap")
	require(c, "listen", "pipeline", "sidecar")
	return c
}
