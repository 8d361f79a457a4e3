package doctor

import (
	"fmt"
	"strings"
	"time"
)

// Settings are the sidecar's, as far as Envoy's have to fit them.
type Settings struct {
	// Socket is the sidecar's; empty: the filter and its cluster are known by their
	// names, those of package filter.
	Socket string
	// Pipeline is its host:port; empty: wherever captured routes lead.
	Pipeline string
	// MaxEventBytes is the largest body, in octets.
	MaxEventBytes uint64
	// MessageBound is the longest that the sidecar takes for one message.
	MessageBound time.Duration
	// FailOpen says that traffic may pass unrecorded.
	FailOpen bool
	// Ordered says that the order in which events enter the pipeline is kept.
	Ordered bool
	// Listening are the addresses, host:port, on which this machine listens; nil: not
	// known, or Envoy is on another.
	Listening []string
}

// Examine returns what is wrong, the worst first. None: nothing was found.
func Examine(c Config, s Settings) []Finding {
	x := &examination{config: c, settings: s}
	x.locate()
	if x.capturesAnything() {
		x.detours()
	} else {
		x.add("no-capture", Loses, "the whole configuration", "no HTTP filter calls the sidecar: nothing is recorded",
			"add the filter that `verbatim config envoy` prints, last before the router")
	}
	for _, site := range x.sites {
		if site.capture != nil {
			x.processor(site.capture)
			x.chain(site)
			x.manager(site)
			x.routes(site)
		}
	}
	x.upstreams()
	x.clusters()
	x.reach()
	x.version()
	x.unseen()
	return x.sorted()
}

// examination is one under way.
type examination struct {
	findings
	config   Config
	settings Settings
	sites    []*site
	tunnels  []tunnel
	// captured are the clusters to which captured traffic goes.
	captured map[string]bool
	// upstream are those whose own filters capture, by cluster name.
	upstream map[string]*processor
}

func (x *examination) capturesAnything() bool {
	for _, s := range x.sites {
		if s.capture != nil {
			return true
		}
	}
	return len(x.upstream) > 0
}

// unseen says what could not be looked at.
func (x *examination) unseen() {
	if x.config.Dynamic {
		x.add("dynamic", Unseen, "dynamic_resources", "a management server adds to this configuration",
			"examine the running Envoy: verbatim doctor --envoy-admin URL")
	}
	if len(x.config.Unknown) > 0 {
		x.add("unknown-types", Unseen, "the whole configuration",
			"what these do is not known here: "+strings.Join(x.config.Unknown, ", "),
			"see that none of them changes a request behind the capture")
	}
	for _, s := range x.sites {
		if s.capture != nil && s.routes == nil {
			x.add("routes-unknown", Unseen, s.where, fmt.Sprintf("its routes (%s) are not in this configuration", s.routesFrom()),
				"examine the running Envoy: verbatim doctor --envoy-admin URL")
		}
	}
}
