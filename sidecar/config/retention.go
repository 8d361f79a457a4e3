package config

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"
)

// Retention says how long entries stay.
type Retention struct {
	// Keep is how old they get; 0: they stay for ever.
	Keep Span `yaml:"keep"`
	// Every is how often is looked for what may go.
	Every time.Duration `yaml:"every"`
}

func (r *Retention) bind(fs *pflag.FlagSet) {
	fs.Var(&r.Keep, "retention.keep", "how old entries get before they are pruned, such as 90d; 0: they stay for ever")
	fs.DurationVar(&r.Every, "retention.every", r.Every, "how often is looked for what may be pruned")
}

func (c *Config) checkRetention() error {
	switch r := c.Retention; {
	case r.Keep < 0:
		return fmt.Errorf("retention.keep: %v is less than 0, which means for ever", r.Keep)
	case r.Every < time.Second:
		return fmt.Errorf("retention.every: %v is less than 1s", r.Every)
	}
	return nil
}

// Span is a duration that may be written in days: 90d. It is a pflag.Value.
type Span time.Duration

const day = 24 * time.Hour

// ParseSpan reads a duration, or a whole number of days.
func ParseSpan(text string) (Span, error) {
	number, isDays := strings.CutSuffix(text, "d")
	if !isDays {
		d, err := time.ParseDuration(text)
		return Span(d), err
	}
	days, err := strconv.ParseInt(number, 10, 64)
	if err != nil || days > int64(time.Duration(1<<63-1)/day) || days < -int64(time.Duration(1<<63-1)/day) {
		return 0, fmt.Errorf("read duration %q: want a duration with a unit, such as 90d", text)
	}
	return Span(time.Duration(days) * day), nil
}

// String is the shortest form: whole days as days.
func (s Span) String() string {
	if d := time.Duration(s); d%day == 0 && d != 0 {
		return fmt.Sprintf("%dd", d/day)
	}
	return time.Duration(s).String()
}

// Set implements pflag.Value.
func (s *Span) Set(text string) error {
	got, err := ParseSpan(text)
	if err == nil {
		*s = got
	}
	return err
}

// Type implements pflag.Value.
func (*Span) Type() string { return "duration" }

// UnmarshalYAML reads what Set does; its error is of the decoder's kind, which knows
// the line.
func (s *Span) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode && s.Set(n.Value) == nil {
		return nil
	}
	said := "`" + n.Value + "`"
	return &yaml.TypeError{Errors: []string{fmt.Sprintf("line %d: cannot unmarshal %s %s into config.Span", n.Line, n.ShortTag(), said)}}
}
