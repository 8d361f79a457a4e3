package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"verbatim/sidecar/anchor"
	"verbatim/sidecar/chain"
	"verbatim/sidecar/verify"
)

func verifyCommand() *cobra.Command {
	var dir string
	var trusted []string
	var asJSON bool
	var public publicCheck
	c := &cobra.Command{
		Use:   "verify --log DIR [--trusted-root OFFSET:HASH ...] [--anchors --rpc URL | --receipts]",
		Args:  flagsAlone,
		Short: "Check every link and every footer of a log",
		Long: `Checks a log against itself: that every entry is the one that the next entry
names, that every checkpoint seals what it claims to, that every outcome belongs
to a request, that the indexes hold what the entries give. It names the first
offset that is wrong.

A log that was rewritten as a whole agrees with itself. --trusted-root compares
an entry's hash with one that you have from elsewhere, for instance from an
earlier verification; it may be given again. The log may be in use.

--anchors asks the contract that the log names for the root of every checkpoint.
What agrees is ANCHORED: it was so when that ledger closed, whoever owns the log.
A log names its contract itself; --contract says which one you expect.
--receipts compares, without the network, with the receipts that the log's owner
kept: what agrees is CLAIMED.

` + exitCodes,
		Example: `  verbatim verify --log /var/lib/verbatim/log
  verbatim verify --log DIR --trusted-root 1000:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			roots, err := parseRoots(trusted)
			if err != nil {
				return err
			}
			v, _, done, err := openLog(cmd.Context(), dir)
			if err != nil {
				return err
			}
			defer done()
			if err := public.check(v.Genesis().GetAnchor()); err != nil {
				return err
			}
			var sealed anchor.Sealed
			bar := newBar(cmd.ErrOrStderr(), "verifying", int(v.Tip().Offset)+1)
			r, err := verify.Verify(cmd.Context(), v, verify.Options{
				Trusted: roots, Progress: func(n uint64) { bar.set(int(n)) }, Sealed: sealed.Add,
			})
			bar.end()
			if err != nil {
				return err
			}
			standing, err := public.compare(cmd.Context(), v, sealed.Checkpoints, !r.Broken)
			if err != nil {
				return err
			}
			if err := printReport(cmd.OutOrStdout(), r, standing, asJSON); err != nil {
				return err
			}
			if !r.OK() || standing != nil && !standing.OK() {
				return errFinding
			}
			return nil
		},
	}
	c.Flags().StringVar(&dir, "log", "", "the log's `directory`")
	c.Flags().StringArrayVar(&trusted, "trusted-root", nil, "`OFFSET:HASH` of an entry, known from elsewhere")
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	public.bind(c.Flags())
	require(c, "log")
	return c
}

func parseRoots(list []string) (map[uint64]chain.Hash, error) {
	roots := map[uint64]chain.Hash{}
	for _, s := range list {
		left, right, _ := strings.Cut(s, ":")
		offset, err := strconv.ParseUint(left, 10, 64)
		hash, bad := chain.ParseHash(right)
		if err != nil || bad != nil {
			return nil, fmt.Errorf("read --trusted-root %q: want OFFSET:HASH, a number and 64 hexadecimal digits", s)
		}
		if old, ok := roots[offset]; ok && old != hash {
			return nil, fmt.Errorf("read --trusted-root: two hashes for offset %d; give one", offset)
		}
		roots[offset] = hash
	}
	return roots, nil
}

func printReport(w io.Writer, r *verify.Report, standing *standing, asJSON bool) error {
	if asJSON {
		findings := r.Findings
		if findings == nil {
			findings = []verify.Finding{}
		}
		report := map[string]any{
			"ok": r.OK(), "entries": r.Entries, "tip": r.Tip, "chain_root": r.ChainRoot.String(),
			"checkpoints": r.Checkpoints, "requests": r.Requests,
			"responses": r.Responses, "aborts": r.Aborts, "gaps": r.Gaps, "open_requests": r.Open,
			"trusted_roots": r.TrustedRoots, "findings": findings,
		}
		if r.Checkpoints > 0 {
			report["sealed_through"] = r.SealedThrough
		}
		if standing != nil {
			report["ok"] = r.OK() && standing.OK()
			report["public"] = standing.json()
		}
		return json.NewEncoder(w).Encode(report)
	}
	p := &printer{w: w}
	if standing != nil {
		// The loudest finding there is comes first.
		for _, f := range standing.Findings {
			p.line("FINDING at %s", f)
		}
	}
	for _, f := range r.Findings {
		p.line("FINDING at %s", f)
	}
	p.line("entries checked  %s", checkedEntries(r))
	p.line("requests         %d: %d answered, %d aborted, %d open", r.Requests, r.Responses, r.Aborts, r.Open)
	sealed := "not sealed yet"
	switch {
	case r.Checkpoints > 0:
		sealed = fmt.Sprintf("SEALED through %d", r.SealedThrough)
		p.line("checkpoints      %d, sealed through offset %d", r.Checkpoints, r.SealedThrough)
	case r.Broken:
		p.line("checkpoints      0, as far as the chain holds")
	default:
		p.line("checkpoints      0, %s", sealed)
	}
	if r.Gaps > 0 {
		p.line("gaps             %d: traffic is known to have passed unrecorded", r.Gaps)
	}
	p.line("chain root       %s", r.ChainRoot)
	if standing != nil {
		standing.print(p)
	}
	switch {
	case standing != nil && !standing.OK():
		p.line("NOT VERIFIED: %d findings, the first at offset %d", len(standing.Findings)+len(r.Findings), standing.Findings[0].Offset)
	case !r.OK():
		p.line("NOT VERIFIED: %d findings, the first at offset %d", len(r.Findings), r.Findings[0].Offset)
	case standing != nil:
		p.line("CHAINED, %s, %s", sealed, standing.verdict())
	case r.TrustedRoots > 0:
		p.line("CHAINED, %s, and it agrees with %d trusted roots", sealed, r.TrustedRoots)
	default:
		p.line("CHAINED, %s: the log agrees with itself; whether it was rewritten as a whole only a trusted root tells", sealed)
	}
	return p.err
}

// checkedEntries says which entries' links were checked, and whether all were.
func checkedEntries(r *verify.Report) string {
	switch {
	case r.Entries == 0:
		return "0"
	case r.Broken:
		return fmt.Sprintf("%d (offsets 0 to %d), as far as the chain holds", r.Entries, r.Entries-1)
	}
	return fmt.Sprintf("%d (offsets 0 to %d), every link", r.Entries, r.Entries-1)
}
