package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/anchor"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/chain"
	"verbatim/sidecar/verify"
)

func verifyCommand() *cobra.Command {
	var log logFlags
	var trusted []string
	var asJSON bool
	var public publicCheck
	var signed signedCheck
	var earlier earlierCheck
	var maxAge time.Duration
	var lineage lineageCheck
	c := &cobra.Command{
		Use:   "verify --log DIR [--trusted-root OFFSET:HASH ...] [--keys FILE] [--checkpoint FILE] [--predecessor DIR ...] [--anchors --rpc URL | --receipts]",
		Args:  flagsAlone,
		Short: "Check every link and every footer of a log",
		Long: `Checks a log against itself: that every entry is the one that the next entry
names, that every checkpoint seals what it claims to, that every outcome belongs
to a request, that the indexes hold what the entries give. It names the first
offset that is wrong.

A log that was rewritten as a whole agrees with itself. --trusted-root compares
an entry's hash with one that you have from elsewhere, for instance from an
earlier verification; it may be given again. The log may be in use.

Where keys sign checkpoints (verbatim key --help) every signature is checked, and a
missing one is a finding. The log names its keys itself: --keys has those that you
trust, one a line, with the sizes of the log for which each is good:

  VKEY [from=SIZE] [until=SIZE]

--checkpoint is a signed checkpoint that you kept from earlier (verbatim
checkpoint): the log has to contain it, with all entries before it.

--state FILE goes on where the last verification with that file ended, and keeps how
far this one came, now and then while it runs: for cron, and for logs so large that one
is interrupted. What was checked before is not read again: run without it now and then.
The file is as trustworthy as who can write it.

--max-age makes a stale end a finding: nothing is missed without a word when a log, or
what signs or publishes its checkpoints, has fallen silent.

A log that continues another (verbatim init --continues) names it, and the root at
which it ended. --predecessor says where that log is: every link, footer and index of
it is checked, and that it ends there, but not its signatures and anchors: those are
for a verification of its own. It may be given again, for the log before that one.
A predecessor that is not given is said not to be checked.

--anchors asks the contract that the log names for the root of every checkpoint.
What agrees is ANCHORED: it was so when that ledger closed, whoever owns the log.
A log names its contract itself; --contract says which one you expect.
--receipts compares, without the network, with the receipts that the log's owner
kept: what agrees is CLAIMED.

` + exitCodes,
		Example: `  verbatim verify --log /var/lib/verbatim/log
  verbatim verify --log DIR --trusted-root 1000:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
  verbatim verify --log DIR --keys keys.txt --checkpoint checkpoint.txt`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if maxAge < 0 {
				return fmt.Errorf("--max-age %s: nothing is that young; give 0 for any age", maxAge)
			}
			roots, err := parseRoots(trusted)
			if err != nil {
				return err
			}
			if err := signed.read(); err != nil {
				return err
			}
			v, _, done, err := log.open(cmd.Context(), cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			defer done()
			if err := earlier.read(v); err != nil {
				return err
			}
			if err := public.check(v.Genesis().GetAnchor()); err != nil {
				return err
			}
			var sealed anchor.Sealed
			if err := earlier.kept(cmd.Context(), v, sealed.Each); err != nil {
				return err
			}
			if err := signed.walk.Begin(cmd.Context(), v, earlier.first(v)); err != nil {
				return err
			}
			each := func(e auditlog.Entry, ev *logv1.Event) {
				sealed.Each(e, ev)
				signed.walk.Each(e, ev)
			}
			if err := earlier.between(cmd.Context(), v, signed.walk.Kinds(), each); err != nil {
				return err
			}
			bar := newBar(cmd.ErrOrStderr(), "verifying", int(v.Tip().Offset)+1)
			r, err := verify.Verify(cmd.Context(), v, verify.Options{
				Trusted: roots, Progress: func(n uint64) { bar.set(int(n)) },
				From: earlier.point(), Reached: earlier.reached,
				Of: signed.walk.Kinds(), Each: each,
			})
			bar.end()
			if err != nil {
				return errors.Join(err, earlier.failed)
			}
			r.Findings = append(r.Findings, earlier.findings...)
			standing, err := public.compare(cmd.Context(), v, sealed.Checkpoints, !r.Broken)
			if err != nil {
				return err
			}
			signatures, err := signed.compare(cmd.Context(), v, r)
			if err != nil {
				return err
			}
			before, err := lineage.compare(cmd.Context(), v, log.keys, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			verdict := verdict{r, standing, signatures, before}
			stale(verdict, v, maxAge, time.Now())
			notKept := earlier.keep(verdict) // which is no reason to hold the verdict back
			if err := verdict.print(cmd.OutOrStdout(), asJSON); err != nil {
				return errors.Join(err, notKept)
			}
			if len(verdict.findings()) > 0 {
				return errFinding
			}
			return notKept
		},
	}
	log.bind(c.Flags())
	c.Flags().StringArrayVar(&trusted, "trusted-root", nil, "`OFFSET:HASH` of an entry, known from elsewhere")
	c.Flags().StringVar(&earlier.file, "state", "", "`file` that says how far an earlier verification came; it is made and kept")
	c.Flags().DurationVar(&maxAge, "max-age", 0, "how old the newest checkpoint, and the newest one vouched for, may be; 0: any age")
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	signed.bind(c.Flags())
	public.bind(c.Flags())
	lineage.bind(c.Flags())
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
