package main

import (
	"bufio"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/chain"
)

// A scribe says each of these once it was acknowledged, a line each:
//
//	created LOG-ID
//	entry OFFSET EVENT-HASH
//	root OFFSET ENTRY-HASH
//	kept KEY VALUE
//	octets OFFSET HEX    how a request's body begins
//	pruned OFFSET        what is before it is gone
//	taken                the log is there no more, but what another is made of
//	loaded               it was made again
//	closed
//
// and before that "keeping KEY VALUE" and "pruning", and "refused WHAT: SENTENCE" for
// what failed.
type words struct{ to io.Writer }

// say says one line, also of errors that were joined.
func (w words) say(format string, args ...any) {
	fmt.Fprintln(w.to, strings.ReplaceAll(fmt.Sprintf(format, args...), "\n", "; "))
}

// said is what one or several scribes have said.
type said struct {
	id string
	// there: the log has to be there.
	there   bool
	entries map[uint64]string
	roots   map[uint64]string
	octets  map[uint64][]byte
	// pruning: some may be pruned; pruned: what is before it is.
	pruning bool
	pruned  uint64
	// kept has what may be kept under a key: what was acknowledged last, and what
	// was tried since.
	kept map[string][]string
}

func newSaid() *said {
	return &said{entries: map[uint64]string{}, roots: map[uint64]string{}, octets: map[uint64][]byte{}, kept: map[string][]string{}}
}

// hear takes in what a scribe said.
func (s *said) hear(r io.Reader) error {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		if err := s.line(strings.Fields(lines.Text())); err != nil {
			return fmt.Errorf("read what was said: %q: %w", lines.Text(), err)
		}
	}
	return lines.Err()
}

func (s *said) line(fields []string) (err error) {
	var offset uint64
	switch word, n := fields[0], len(fields); {
	case word == "created" && n == 2:
		s.id, s.there = fields[1], true
	case word == "taken" && n == 1, word == "loaded" && n == 1:
		s.there = word == "loaded"
	case word == "octets" && n == 3:
		if offset, err = strconv.ParseUint(fields[1], 10, 64); err == nil {
			s.octets[offset], err = hex.DecodeString(fields[2])
		}
	case word == "pruning" && n == 1:
		s.pruning = true
	case word == "pruned" && n == 2:
		s.pruned, err = strconv.ParseUint(fields[1], 10, 64)
	case word == "entry" && n == 3:
		offset, err = strconv.ParseUint(fields[1], 10, 64)
		s.entries[offset] = fields[2]
	case word == "root" && n == 3:
		offset, err = strconv.ParseUint(fields[1], 10, 64)
		s.roots[offset] = fields[2]
	case word == "keeping" && n == 3:
		s.kept[fields[1]] = append(s.kept[fields[1]], fields[2])
	case word == "kept" && n == 3:
		s.kept[fields[1]] = fields[2:]
	case word == "closed", word == "refused":
	default:
		err = errors.New("unknown words")
	}
	return err
}

// held checks that all that was said is in the log.
func (s *said) held(v *auditlog.View) error {
	if s.id != "" && s.id != v.ID().String() {
		return fmt.Errorf("the log is %s, created was %s", v.ID(), s.id)
	}
	return errors.Join(
		s.heldCut(v), heldHashes(v, "entry", s.entries, func(e auditlog.Entry) chain.Hash { return chain.EventHash(e.Raw) }),
		heldHashes(v, "root", s.roots, auditlog.Entry.Hash), s.heldRecords(v))
}

func heldHashes(v *auditlog.View, what string, said map[uint64]string, hash func(auditlog.Entry) chain.Hash) error {
	for offset, want := range said {
		e, err := v.Entry(offset)
		if errors.Is(err, auditlog.ErrPruned) && offset < v.First() {
			continue // heldCut knows whether it may be
		}
		if err != nil {
			return fmt.Errorf("acknowledged: %w", err)
		}
		if got := hash(e).String(); got != want {
			return fmt.Errorf("%s %d is %s, acknowledged was %s", what, offset, got, want)
		}
	}
	return nil
}

// heldCut checks that what is pruned may be, at a root that was said, and what was
// said to be is.
func (s *said) heldCut(v *auditlog.View) error {
	cut, isCut := v.Cut()
	cleared, err := v.Cleared()
	root, known := s.roots[cut.Offset]
	switch {
	case err != nil:
		return err
	case isCut && !s.pruning:
		return fmt.Errorf("the log is pruned up to %d, and nobody was to prune it", cut.Offset)
	case known && root != cut.Root.String():
		return fmt.Errorf("the log is pruned up to %d with root %s, acknowledged was %s", cut.Offset, cut.Root, root)
	case v.First() < s.pruned || s.pruned > 0 && !cleared:
		return fmt.Errorf("the log begins at %d, cleared %t, but was pruned up to %d", v.First(), cleared, s.pruned)
	}
	return nil
}

func (s *said) heldRecords(v *auditlog.View) error {
	for key, values := range s.kept {
		got, err := v.Record([]byte(key))
		if err != nil {
			return err
		}
		if !slices.Contains(values, hex.EncodeToString(got)) {
			return fmt.Errorf("record %s is %x, kept or tried was %s", key, got, values)
		}
	}
	return nil
}
