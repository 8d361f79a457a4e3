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
//	closed
//
// and before that "keeping KEY VALUE", and "refused WHAT: SENTENCE" for what failed.
type words struct{ to io.Writer }

// say says one line, also of errors that were joined.
func (w words) say(format string, args ...any) {
	fmt.Fprintln(w.to, strings.ReplaceAll(fmt.Sprintf(format, args...), "\n", "; "))
}

// said is what one or several scribes have said.
type said struct {
	id      string
	entries map[uint64]string
	roots   map[uint64]string
	// kept has what may be kept under a key: what was acknowledged last, and what
	// was tried since.
	kept map[string][]string
}

func newSaid() *said {
	return &said{entries: map[uint64]string{}, roots: map[uint64]string{}, kept: map[string][]string{}}
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
		s.id = fields[1]
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
		heldHashes(v, "entry", s.entries, func(e auditlog.Entry) chain.Hash { return chain.EventHash(e.Raw) }),
		heldHashes(v, "root", s.roots, auditlog.Entry.Hash), s.heldRecords(v))
}

func heldHashes(v *auditlog.View, what string, said map[uint64]string, hash func(auditlog.Entry) chain.Hash) error {
	for offset, want := range said {
		e, err := v.Entry(offset)
		if err != nil {
			return fmt.Errorf("acknowledged: %w", err)
		}
		if got := hash(e).String(); got != want {
			return fmt.Errorf("%s %d is %s, acknowledged was %s", what, offset, got, want)
		}
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
