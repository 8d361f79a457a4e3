package doctor

import (
	"fmt"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/ext_proc/v3"
	"google.golang.org/protobuf/types/known/anypb"
)

// route is one route with what surrounds it.
type route struct {
	config *routev3.RouteConfiguration
	host   *routev3.VirtualHost
	route  *routev3.Route
	number int // within its virtual host, from 1
}

func routesOf(c *routev3.RouteConfiguration) (list []route) {
	for _, h := range c.GetVirtualHosts() {
		for i, r := range h.GetRoutes() {
			list = append(list, route{c, h, r, i + 1})
		}
	}
	return list
}

func (r route) String() string {
	if name := r.route.GetName(); name != "" {
		return fmt.Sprintf("virtual host %s, route %s", r.host.GetName(), name)
	}
	return fmt.Sprintf("virtual host %s, route %d", r.host.GetName(), r.number)
}

// clusters are those that the route leads to, as far as it names them.
func (r route) clusters() (names []string) {
	a := r.route.GetRoute()
	if name := a.GetCluster(); name != "" {
		names = append(names, name)
	}
	for _, w := range a.GetWeightedClusters().GetClusters() {
		names = append(names, w.GetName())
	}
	return names
}

// overrides are the settings of a filter that are in force for the route, the most
// specific one first.
func (r route) overrides(name string) (list []*anypb.Any) {
	maps := []map[string]*anypb.Any{r.route.GetTypedPerFilterConfig(), r.host.GetTypedPerFilterConfig(), r.config.GetTypedPerFilterConfig()}
	for _, w := range r.route.GetRoute().GetWeightedClusters().GetClusters() {
		maps = append([]map[string]*anypb.Any{w.GetTypedPerFilterConfig()}, maps...)
	}
	for _, m := range maps {
		if a := m[name]; a != nil {
			list = append(list, a)
		}
	}
	return list
}

// routes looks at what the routes of a captured connection manager do.
func (x *examination) routes(s *site) {
	for _, r := range routesOf(s.routes) {
		where := s.where + ", " + r.String()
		x.disabledFor(s.capture, r, where)
		if len(r.clusters()) == 0 && r.route.GetRoute() != nil {
			x.add("route-unnamed", Unseen, where, "its cluster is chosen for each request, by a header or a plugin",
				"see that captured clusters are all that it can choose")
		}
		if s.capture.upstream {
			continue
		}
		x.rewrites(r, where)
		x.retries(r, where)
	}
}

func (x *examination) disabledFor(p *processor, r route, where string) {
	for _, a := range r.overrides(p.name) {
		var own extprocv3.ExtProcPerRoute
		var generic routev3.FilterConfig
		switch {
		case unpack(a, &generic):
			if generic.GetDisabled() {
				x.add("route-disables-capture", Loses, where, "it disables the filter "+p.name+": its traffic is not recorded", "remove the typed_per_filter_config")
				continue
			}
			if !unpack(generic.GetConfig(), &own) {
				continue
			}
		case !unpack(a, &own):
			continue
		}
		if own.GetDisabled() {
			x.add("route-disables-capture", Loses, where, "it disables the filter "+p.name+": its traffic is not recorded", "remove the typed_per_filter_config")
		} else if own.GetOverrides() != nil {
			x.add("route-overrides-capture", Loses, where, "it gives the filter "+p.name+" other settings than were examined here", "remove the overrides")
		}
	}
}

// rewrites finds what the router does to a request after it was recorded.
func (x *examination) rewrites(r route, where string) {
	a := r.route.GetRoute()
	if a.GetPrefixRewrite() != "" || a.GetRegexRewrite() != nil || a.GetPathRewritePolicy() != nil || a.GetPathRewrite() != "" {
		x.add("route-rewrites", Alters, where, "the router rewrites the path behind the capture: the pipeline gets another one than is recorded",
			"rewrite it before the capture, or capture with --position upstream")
	}
	if a.GetHostRewriteSpecifier() != nil {
		x.add("route-rewrites", Alters, where, "the router rewrites the host behind the capture: the pipeline gets another one than is recorded",
			"rewrite it before the capture, or capture with --position upstream")
	}
	for _, h := range []struct {
		add    []*corev3.HeaderValueOption
		remove []string
	}{
		{r.route.GetRequestHeadersToAdd(), r.route.GetRequestHeadersToRemove()},
		{r.host.GetRequestHeadersToAdd(), r.host.GetRequestHeadersToRemove()},
		{r.config.GetRequestHeadersToAdd(), r.config.GetRequestHeadersToRemove()},
	} {
		if len(h.add)+len(h.remove) > 0 {
			x.add("route-headers", Alters, where, "the router adds or removes request headers behind the capture: the pipeline gets others than are recorded",
				"change them before the capture, or capture with --position upstream")
			return
		}
	}
}

// retries finds what sends a recorded request more than once.
func (x *examination) retries(r route, where string) {
	a := r.route.GetRoute()
	for _, p := range []*routev3.RetryPolicy{a.GetRetryPolicy(), r.host.GetRetryPolicy()} {
		if p.GetRetryOn() != "" {
			x.add("retries", Doubts, where, "requests are sent again on "+p.GetRetryOn()+": the pipeline may get one twice that is recorded once, and a stream can't be sent again",
				"remove the retry policy, or capture with --position upstream")
			break
		}
	}
	if a.GetHedgePolicy() != nil || r.host.GetHedgePolicy() != nil {
		x.add("retries", Doubts, where, "requests are hedged: the pipeline may get one twice that is recorded once", "remove the hedge policy")
	}
	for _, m := range a.GetRequestMirrorPolicies() {
		if x.captured[m.GetCluster()] {
			x.add("mirror", Loses, where, "requests are mirrored to cluster "+m.GetCluster()+" unrecorded", "mirror them elsewhere")
		}
	}
}
