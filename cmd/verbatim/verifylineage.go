package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"verbatim/sidecar/archive"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/chain"
	"verbatim/sidecar/lineage"
	"verbatim/sidecar/verify"
)

// lineageCheck is the logs before the one that is verified.
type lineageCheck struct{ dirs []string }

func (c *lineageCheck) bind(fs *pflag.FlagSet) {
	fs.StringArrayVar(&c.dirs, "predecessor", nil, "`directory` or URL of the log that this one continues; again for the one before that")
}

// ancestry is the links from a log back to the first one that was not given, or that
// continues none.
type ancestry struct {
	links []*lineage.Link
	extra []verify.Finding // logs that were given and are none of them
}

// compare follows the links; nil if the log continues none, and none was given. keys
// are those of archives.
func (c *lineageCheck) compare(ctx context.Context, v *auditlog.View, keys []string, stderr io.Writer) (*ancestry, error) {
	if len(c.dirs) == 0 && v.Genesis().GetPredecessor() == nil {
		return nil, nil //nolint:nilnil // nothing was asked for
	}
	given, done, err := c.open(ctx, keys, stderr)
	defer done()
	if err != nil {
		return nil, err
	}
	a := &ancestry{}
	for link := lineage.Named(v.Genesis()); link != nil; {
		a.links = append(a.links, link)
		g, ok := given[link.ID]
		if !ok {
			break
		}
		delete(given, link.ID)
		if err := g.check(ctx, link, stderr); err != nil {
			return nil, err
		}
		link = lineage.Named(g.view.Genesis())
	}
	for id, g := range given {
		a.extra = append(a.extra, verify.Finding{
			Code: lineage.CodePredecessor, Text: fmt.Sprintf("%s is log %s, which no log here continues", g.from, id),
		})
	}
	slices.SortFunc(a.extra, func(x, y verify.Finding) int { return strings.Compare(x.Text, y.Text) })
	return a, nil
}

// given is a log that was given as a predecessor.
type given struct {
	from string
	view *auditlog.View
}

// open opens the logs that were given, by id; done closes those that were opened.
func (c *lineageCheck) open(ctx context.Context, keys []string, stderr io.Writer) (byID map[chain.Hash]given, done func(), err error) {
	var opened []func()
	done = func() {
		for _, d := range opened {
			d()
		}
	}
	byID = map[chain.Hash]given{}
	for _, from := range c.dirs {
		flags := logFlags{log: from}
		if archive.IsURL(from) {
			flags.keys = keys
			from = archive.Location(from) // which is all of it that may be shown
		}
		v, _, closeIt, err := flags.open(ctx, stderr)
		if err != nil {
			return nil, done, fmt.Errorf("--predecessor: %w", err)
		}
		opened = append(opened, closeIt)
		if _, twice := byID[v.ID()]; twice {
			return nil, done, fmt.Errorf("--predecessor %s: log %s is given twice", from, v.ID())
		}
		byID[v.ID()] = given{from, v}
	}
	return byID, done, nil
}

func (g given) check(ctx context.Context, link *lineage.Link, stderr io.Writer) error {
	bar := newBar(stderr, "verifying predecessor", int(g.view.Tip().Offset)+1)
	defer bar.end()
	return link.Check(ctx, g.view, func(n uint64) { bar.set(int(n)) })
}

func (a *ancestry) findings() []verify.Finding {
	all := append([]verify.Finding{}, a.extra...)
	for _, l := range a.links {
		all = append(all, l.Findings...)
	}
	return all
}

func (a *ancestry) print(p *printer) {
	for _, l := range a.links {
		switch {
		case l.Report == nil:
			p.line("continues        log %s at root %s: NOT CHECKED; --predecessor says where it is", l.ID, l.Root)
		case len(l.Findings) > 0:
			p.line("continues        log %s at root %s: the link does not hold", l.ID, l.Root)
		default:
			p.line("continues        log %s at root %s: its offsets %d to %d were checked, and it ends there", l.ID, l.Root, l.Report.First, l.Report.Tip)
		}
	}
}

// verdict is what agrees, when nothing differs.
func (a *ancestry) verdict() string {
	if n := len(a.links); a.links[n-1].Report == nil {
		return fmt.Sprintf("continues log %s, which was not checked", a.links[n-1].ID)
	}
	return fmt.Sprintf("continues %d logs before it, all checked", len(a.links))
}

func (a *ancestry) json() any {
	links := []map[string]any{}
	for _, l := range a.links {
		m := map[string]any{"log_id": l.ID.String(), "chain_root": l.Root.String(), "checked": l.Report != nil}
		if l.Report != nil {
			m["tip"], m["entries"] = l.Report.Tip, l.Report.Entries
		}
		links = append(links, m)
	}
	return map[string]any{"links": links, "findings": a.findings()}
}
