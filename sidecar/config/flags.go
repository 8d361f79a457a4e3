package config

import (
	"fmt"

	"github.com/spf13/pflag"
)

// fileFlag names the YAML file; it is the one flag that is no setting.
const fileFlag = "config"

// BindFlags declares a flag for every setting, with c's values as defaults, and
// --config. Parsing fs writes into c; call Resolve after it, which brings in the
// file:
//
//	c := config.Default()
//	c.BindFlags(cmd.Flags())
//	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
//		if err := c.Resolve(cmd.Flags()); err != nil {
func (c *Config) BindFlags(fs *pflag.FlagSet) {
	fs.String(fileFlag, "", "YAML `file` with settings; a flag wins over it")
	c.bind(fs)
}

func (c *Config) bind(fs *pflag.FlagSet) {
	fs.StringVar(&c.Log, "log", c.Log, "the log's `directory`, made by verbatim init")
	fs.StringVar(&c.Socket, "socket", c.Socket, "`path` of the Unix socket that Envoy connects to")
	fs.StringVar(&c.Admin, "admin", c.Admin, "`host:port` of the audit API, probes and metrics")
	fs.StringVar(&c.Ordering, "ordering", c.Ordering, "who may be in the pipeline together, one a meter, one in all or all: `meter|global|none`")
	fs.StringVar(&c.Profile, "profile", c.Profile, "what passes, as in Envoy's filter: what is recorded, everything, or everything without waiting: `strict|fail-open|observe`")
	fs.StringVar(&c.Position, "position", c.Position, "where Envoy's filter is, before the router or behind it: `downstream|upstream`")
	fs.IntVar(&c.Queue.MaxWaiting, "queue.max-waiting", c.Queue.MaxWaiting, "how many requests may wait for their turn")
	fs.DurationVar(&c.Queue.MaxWait, "queue.max-wait", c.Queue.MaxWait, "how long a request may wait for its turn")
	fs.StringVar(&c.ClockHeader, "clock-header", c.ClockHeader, "`header` that carries the clock to the pipeline")
	fs.StringVar(&c.SeedHeader, "seed-header", c.SeedHeader, "`header` that carries the seed to the pipeline")
	fs.StringVar(&c.FrozenClock, "frozen-clock", c.FrozenClock, "`file` of the pipeline's clock, of verbatim run; empty: the pipeline has the system's")
	fs.StringVar(&c.Capture.Meters, "capture.meters", c.Capture.Meters, "`CEL` expression for a request's meter ids; empty: x-meter-id, or meter_id in JSON")
	fs.StringVar(&c.Capture.Skip, "capture.skip", c.Capture.Skip, "`CEL` expression for requests that are not recorded; empty: none")
	fs.StringVar(&c.Capture.Stream, "capture.stream", c.Capture.Stream, "`CEL` expression over the headers of requests that are streams; empty: none but by content type")
	fs.StringSliceVar(&c.Stream.Types, "stream.types", c.Stream.Types, "`content types` of streams, which are recorded in parts; * at the end stands for any rest")
	fs.DurationVar(&c.Stream.Hold, "stream.hold", c.Stream.Hold, "how long an answer of unknown length is held to be recorded whole; 0: not at all")
	fs.DurationVar(&c.Stream.MaxTurn, "stream.max-turn", c.Stream.MaxTurn, "how long a stream keeps others of its meter out of the pipeline")
	c.Ignore.bind(fs)
	fs.DurationVar(&c.Seal.MaxAge, "seal.max-age", c.Seal.MaxAge, "how old the oldest unsealed entry may get; 0: any age")
	fs.IntVar(&c.MaxEventBytes, "max-event-bytes", c.MaxEventBytes, "how large a request or a response may be")
	fs.Int64Var(&c.MaxBytesInFlight, "max-bytes-in-flight", c.MaxBytesInFlight, "how large all requests and responses in flight may be together")
	fs.StringVar(&c.Oversize, "oversize", c.Oversize, "what to do with a larger one, refuse it or let it pass and record its digest: `refuse|digest`")
	fs.DurationVar(&c.MaxGather, "max-gather", c.MaxGather, "how long a request may take to come whole")
	fs.StringVar(&c.Upgrades, "upgrades", c.Upgrades, "what becomes of upgrades (WebSocket): `refuse|pass`, pass records a gap")
	fs.StringVar(&c.Pipeline.Name, "pipeline.name", c.Pipeline.Name, "the pipeline's name, for the record")
	fs.StringVar(&c.Pipeline.Image, "pipeline.image", c.Pipeline.Image, "`digest` of the pipeline's image, for the record")
	fs.StringVar(&c.Pipeline.Protocol, "pipeline.protocol", c.Pipeline.Protocol, "what Envoy speaks to the pipeline: `h1|h2`")
	fs.StringVar(&c.Pipeline.Address, "pipeline.address", c.Pipeline.Address, "the pipeline's `host:port`, refused as a replay's target")
	fs.StringVar(&c.Envoy.Admin, "envoy.admin", c.Envoy.Admin, "`URL` of Envoy's admin interface, asked for losses; empty: not asked")
	fs.StringVar(&c.Envoy.Version, "envoy.version", c.Envoy.Version, "Envoy's version, for the record")
	fs.Var((*targets)(&c.Replay.Targets), "replay.targets", "`name=URL[,image]` of an instance to replay into; may be given again")
	c.Anchor.bind(fs)
	c.Checkpoint.bind(fs)
	c.Retention.bind(fs)
	c.Archive.bind(fs)
	fs.DurationVar(&c.Shutdown.Grace, "shutdown.grace", c.Shutdown.Grace, "how long exchanges in flight have to finish on a stop")
	fs.StringVar(&c.LogLevel, "log-level", c.LogLevel, "least severe messages to log: `debug|info|warn|error`")
	fs.StringVar(&c.LogFormat, "log-format", c.LogFormat, "how to log: `text|json`")
}

// Resolve makes c what the defaults, the file that --config names and the flags
// given on the command line say together, in this order, and validates it. fs is
// parsed and has the flags of BindFlags; on an error c is unchanged.
func (c *Config) Resolve(fs *pflag.FlagSet) error {
	path, err := fs.GetString(fileFlag)
	if err != nil {
		return fmt.Errorf("look up configuration file: %w", err)
	}
	resolved := Default()
	if path != "" {
		if resolved, err = Load(path); err != nil {
			return err
		}
	}
	over := pflag.NewFlagSet("", pflag.ContinueOnError)
	resolved.bind(over)
	fs.Visit(func(f *pflag.Flag) {
		if to := over.Lookup(f.Name); to != nil && err == nil {
			err = copyValue(to.Value, f.Value)
		}
	})
	if err != nil {
		return fmt.Errorf("apply flags: %w", err)
	}
	resolved.lowerNames()
	if err := resolved.Validate(); err != nil {
		return err
	}
	*c = resolved
	return nil
}

// copyValue goes through text; what a list prints cannot be read again, so lists
// are copied item by item.
func copyValue(to, from pflag.Value) error {
	if list, ok := from.(pflag.SliceValue); ok {
		return to.(pflag.SliceValue).Replace(list.GetSlice())
	}
	return to.Set(from.String())
}
