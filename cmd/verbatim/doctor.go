package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"

	"github.com/spf13/cobra"

	"verbatim/filter/doctor"
	"verbatim/sidecar/config"
)

// doctorFlags say what is examined, and what it has to fit.
type doctorFlags struct {
	config, admin, file string
	asJSON              bool
}

func doctorCommand() *cobra.Command {
	var f doctorFlags
	c := &cobra.Command{
		Use:   "doctor (--envoy-admin URL | --envoy-config FILE) [--config FILE]",
		Args:  flagsAlone,
		Short: "Name what in an Envoy's configuration would lose or alter traffic",
		Long: `Reads the configuration of a running Envoy from its admin endpoint, or of a file: a
bootstrap, or a saved /config_dump?include_eds. It names each place that would let
traffic pass unrecorded, change it, send it around the capture, refuse or hold up what
need not be, or leave a replay in doubt, and says what to do there.

--config is serve's file: Envoy's limits and timeouts are held against its settings,
and its envoy.admin is asked where neither flag says what to examine. Without it the
defaults count. docs/doctor.md lists the codes.

A configuration shows what Envoy was told. What other machines do, and what filters do
that are not known here, it does not show; the latter are named.

Exit codes: 0 nothing found; 1 findings; 2 Envoy or the file could not be read.`,
		Example: `  verbatim doctor --config verbatim.yaml --envoy-admin http://127.0.0.1:9901
  verbatim doctor --config verbatim.yaml --envoy-config envoy.yaml --json`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			list, err := f.examine(cmd.Context())
			if err != nil {
				return err
			}
			if err := printFindings(cmd.OutOrStdout(), list, f.asJSON); err != nil {
				return err
			}
			if len(doctor.Faults(list)) > 0 {
				return errFinding
			}
			return nil
		},
	}
	c.Flags().StringVar(&f.admin, "envoy-admin", "", "`URL` of a running Envoy's admin endpoint")
	c.Flags().StringVar(&f.file, "envoy-config", "", "`file` with a bootstrap or a config dump, YAML or JSON")
	c.Flags().StringVar(&f.config, "config", "", "serve's YAML `file`")
	c.Flags().BoolVar(&f.asJSON, "json", false, "print one JSON object")
	c.MarkFlagsMutuallyExclusive("envoy-admin", "envoy-config")
	return c
}

func (f *doctorFlags) examine(ctx context.Context) ([]doctor.Finding, error) {
	settings := config.Default()
	if f.config != "" {
		var err error
		if settings, err = config.Load(f.config); err != nil {
			return nil, err
		}
	}
	if f.admin == "" && f.file == "" {
		f.admin = settings.Envoy.Admin
	}
	s := doctor.Settings{
		Socket: settings.Socket, Pipeline: settings.Pipeline.Address, MaxEventBytes: uint64(settings.MaxEventBytes),
		MessageBound: settings.Queue.MaxWait, FailOpen: settings.Profile != "strict", Ordered: settings.Ordering != "none",
	}
	c, err := f.read(ctx)
	if err != nil {
		return nil, err
	}
	if c.Running && f.here() {
		if s.Listening, err = doctor.Listening(); err != nil {
			return nil, err
		}
	}
	return doctor.Examine(c, s), nil
}

func (f *doctorFlags) read(ctx context.Context) (doctor.Config, error) {
	switch {
	case f.admin != "":
		return doctor.Ask(ctx, f.admin)
	case f.file != "":
		b, err := os.ReadFile(f.file)
		if err != nil {
			return doctor.Config{}, fmt.Errorf("read Envoy's configuration: %w", err)
		}
		c, err := doctor.Parse(b)
		if err != nil {
			return doctor.Config{}, fmt.Errorf("%s: %w", f.file, err)
		}
		return c, nil
	}
	return doctor.Config{}, errors.New("nothing to examine: say --envoy-admin URL or --envoy-config FILE, or --config with a file that sets envoy.admin")
}

// here says whether the Envoy that is asked runs on this machine.
func (f *doctorFlags) here() bool {
	u, err := url.Parse(f.admin)
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

func printFindings(w io.Writer, list []doctor.Finding, asJSON bool) error {
	if asJSON {
		if list == nil {
			list = []doctor.Finding{}
		}
		return json.NewEncoder(w).Encode(map[string]any{"findings": list})
	}
	p := &printer{w: w}
	for _, f := range list {
		p.line("%s", f)
	}
	switch n := len(doctor.Faults(list)); n {
	case 0:
		p.line("nothing found that would lose or alter traffic")
	case 1:
		p.line("1 finding")
	default:
		p.line("%d findings", n)
	}
	return p.err
}
