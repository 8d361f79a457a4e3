package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/chain"
	"verbatim/sidecar/lineage"
	"verbatim/sidecar/verify"
)

// lineageCheck is the logs before the one that is verified.
type lineageCheck struct{ dirs []string }

func (c *lineageCheck) bind(fs *pflag.FlagSet) {
	fs.StringArrayVar(&c.dirs, "predecessor", nil, "`directory` of the log that this one continues; again for the one before that")
}

// ancestry is the links from a log back to the first one that was not given, or that
// continues none.
type ancestry struct {
	links []*lineage.Link
	extra []verify.Finding // logs that were given and are none of them
}

// compare follows the links; nil if the log continues none, and none was given.
func (c *lineageCheck) compare(ctx context.Context, v *auditlog.View, stderr io.Writer) (*ancestry, error) {
	if len(c.dirs) == 0 && v.Genesis().GetPredecessor() == nil {
		return nil, nil //nolint:nilnil // nothing was asked for
	}
	given := map[chain.Hash]string{}
	for _, dir := range c.dirs {
		before, _, done, err := openLog(ctx, dir)
		if err != nil {
			return nil, fmt.Errorf("--predecessor: %w", err)
		}
		id := before.ID()
		done()
		if _, twice := given[id]; twice {
			return nil, fmt.Errorf("--predecessor %s: log %s is given twice", dir, id)
		}
		given[id] = dir
	}
	a := &ancestry{}
	for link := lineage.Named(v.Genesis()); link != nil; {
		a.links = append(a.links, link)
		dir, ok := given[link.ID]
		if !ok {
			break
		}
		delete(given, link.ID)
		var err error
		if link, err = follow(ctx, link, dir, stderr); err != nil {
			return nil, err
		}
	}
	for id, dir := range given {
		a.extra = append(a.extra, verify.Finding{
			Code: lineage.CodePredecessor, Text: fmt.Sprintf("%s is log %s, which no log here continues", dir, id),
		})
	}
	slices.SortFunc(a.extra, func(x, y verify.Finding) int { return strings.Compare(x.Text, y.Text) })
	return a, nil
}

// follow checks a link and returns the next one.
func follow(ctx context.Context, link *lineage.Link, dir string, stderr io.Writer) (*lineage.Link, error) {
	before, _, done, err := openLog(ctx, dir)
	if err != nil {
		return nil, fmt.Errorf("--predecessor: %w", err)
	}
	defer done()
	bar := newBar(stderr, "verifying predecessor", int(before.Tip().Offset)+1)
	defer bar.end()
	if err := link.Check(ctx, before, func(n uint64) { bar.set(int(n)) }); err != nil {
		return nil, err
	}
	return lineage.Named(before.Genesis()), nil
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
