package doctor

import (
	"fmt"
	"net"
	"slices"
)

// upstreams looks at filters behind the router, where there are any.
func (x *examination) upstreams() {
	var done []*processor
	for _, cl := range x.config.Clusters {
		if p := x.upstream[cl.GetName()]; p != nil && !slices.Contains(done, p) {
			done = append(done, p)
			x.processor(p)
		}
	}
}

// detours finds ways to a captured pipeline that are not captured.
func (x *examination) detours() {
	for _, t := range x.tunnels {
		if to, ok := x.leadsToPipeline(t.cluster); ok {
			x.add("detour", Loses, t.where, "a TCP proxy leads to "+to+", which is captured elsewhere: what passes there is not recorded", "remove it, or let it lead to the captured listener")
		}
	}
	for _, s := range x.sites {
		if s.capture != nil {
			continue
		}
		for _, r := range routesOf(s.routes) {
			for _, name := range r.clusters() {
				if x.upstream[name] != nil {
					continue // the cluster's own filters capture
				}
				if to, ok := x.leadsToPipeline(name); ok {
					x.add("detour", Loses, s.where+", "+r.String(), "it leads to "+to+" without the capture: what passes there is not recorded", "add the filter there, or remove the route")
				}
			}
		}
	}
}

// leadsToPipeline says whether a cluster is captured elsewhere, or has an address of
// one that is.
func (x *examination) leadsToPipeline(name string) (what string, ok bool) {
	if x.captured[name] {
		return "cluster " + name, true
	}
	cl := x.config.cluster(name)
	if cl == nil {
		return "", false
	}
	for _, e := range x.config.endpoints(cl) {
		for _, p := range x.pipelines() {
			if e.meets(p) {
				return "the pipeline's address " + e.String() + " (cluster " + name + ")", true
			}
		}
	}
	return "", false
}

// pipelines are the captured addresses.
func (x *examination) pipelines() (list []endpoint) {
	if e, ok := parseEndpoint(x.settings.Pipeline); ok {
		list = append(list, e)
	}
	for _, cl := range x.config.Clusters {
		if x.captured[cl.GetName()] {
			list = append(list, x.config.endpoints(cl)...)
		}
	}
	return list
}

// reach finds pipelines of this machine that take connections from others.
func (x *examination) reach() {
	told := map[uint32]bool{}
	for _, p := range x.pipelines() {
		if p.pipe != "" || !loopback(p.host) || told[p.port] {
			continue
		}
		for _, l := range x.settings.Listening {
			e, ok := parseEndpoint(l)
			if !ok || e.port != p.port || told[p.port] {
				continue
			}
			if ip := net.ParseIP(e.host); ip != nil && !ip.IsLoopback() {
				told[p.port] = true
				x.add("pipeline-reachable", Loses, "pipeline "+p.String(), fmt.Sprintf("something listens on %s: who connects there goes around Envoy", l),
					"let the pipeline listen on 127.0.0.1 alone, or close the port to others")
			}
		}
	}
}
