package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/tests/forge"
)

// forged is "forge version N DIR", "forge answer OFFSET DIR", which changes an answer
// and computes everything again, "forge flip OFFSET DIR", "forge remove OFFSET DIR",
// "forge record ID DIR", which lists a checkpoint at the offset of its id,
// "forge unsign ID DIR", which takes a checkpoint's note away, or "forge cut OFFSET
// DIR", which drops all behind it: what somebody does to a log who owns its disk.
func forged(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: forge version|answer|flip|remove|record|unsign|cut N DIR")
	}
	n, err := strconv.ParseUint(args[1], 10, 32)
	ts.Check(err)
	dir := ts.MkAbs(args[2])
	switch args[0] {
	case "version":
		err = forge.Rewrite(dir, func(offset uint64, ev *logv1.Event) error {
			if offset == 0 {
				ev.GetGenesis().FormatVersion = uint32(n)
			}
			return nil
		})
	case "answer":
		err = forge.Rewrite(dir, func(offset uint64, ev *logv1.Event) error {
			if offset == n {
				out := ev.GetResponse().GetOutput()
				out[len(out)-1] ^= 1
			}
			return nil
		})
	case "flip":
		err = forge.FlipBit(dir, n, forge.RawAt+10)
	case "remove":
		err = forge.Remove(dir, n)
	case "record":
		offset := binary.BigEndian.AppendUint64(nil, n)
		err = forge.Put(dir, "checkpoints", offset, offset)
	case "unsign":
		err = forge.Delete(dir, "records", binary.BigEndian.AppendUint64([]byte("checkpoint/note/"), n))
	case "cut":
		err = forge.Cut(dir, n)
	default:
		err = fmt.Errorf("no such forgery: %s", args[0])
	}
	ts.Check(err)
}

// tornRecord is how a record of RocksDB's WAL begins that says it has 256 bytes,
// and has fewer: checksum, length, type.
const tornRecord = "\x01\x02\x03\x04\x00\x01\x01and then the power failed"

// cut is "cut torn|end|half|middle|all|gone GLOB": the largest file that matches
// gets a torn record, or loses its last three bytes, its second half, 64 bytes
// out of its middle, all, or itself.
func cut(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: cut torn|end|half|middle|all|gone GLOB")
	}
	path := largest(ts, args[1])
	b, err := os.ReadFile(path)
	ts.Check(err)
	half := len(b) / 2
	switch args[0] {
	case "gone":
		ts.Check(os.Remove(path))
		return
	case "torn":
		b = append(b, tornRecord...)
	case "end":
		b = b[:len(b)-3]
	case "half":
		b = b[:half]
	case "all":
		b = nil
	case "middle":
		b = append(b[:half-32:half-32], b[half+32:]...)
	default:
		ts.Fatalf("no such cut: %s", args[0])
	}
	ts.Check(os.WriteFile(path, b, 0o600))
}

// largest is the largest file that matches.
func largest(ts *testscript.TestScript, glob string) string {
	names, err := filepath.Glob(ts.MkAbs(glob))
	ts.Check(err)
	found, size := "", int64(-1)
	for _, n := range names {
		info, err := os.Stat(n)
		ts.Check(err)
		if info.Size() > size {
			found, size = n, info.Size()
		}
	}
	if size <= 0 {
		ts.Fatalf("%s: no file of any size", glob)
	}
	return found
}

// damaged is "damaged CUT GLOB PATTERN": of a copy of the log a file is cut. To
// read it and to serve on it must both be refused for that reason, and leave it
// as it is.
func damaged(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: damaged CUT GLOB PATTERN")
	}
	dir := ts.MkAbs("damaged")
	ts.Check(os.RemoveAll(dir))
	ts.Check(forge.Copy(ts.MkAbs("log"), dir))
	cut(ts, false, []string{args[0], filepath.Join(dir, args[1])})
	note(ts, false, []string{"damaged"})
	want := regexp.MustCompile(`^verbatim: open log damaged: log is damaged: .*` + args[2] + `.*; restore it from a backup, nothing was changed\n$`)
	for _, command := range [][]string{
		{"verify", "--log", "damaged"},
		{"serve", "--log", "damaged", "--socket", "d.sock", "--admin", "127.0.0.1:0", "--pipeline.address", "127.0.0.1:1"},
	} {
		refuses(ts, false, command)
		if line := ts.ReadFile("stderr"); !want.MatchString(line) {
			ts.Fatalf("%s, want %s", line, want)
		}
		kept(ts, false, []string{"damaged"})
	}
}

type notes map[string][]byte

// note is "note DIR": kept compares with what DIR holds now.
func note(ts *testscript.TestScript, _ bool, args []string) {
	ts.Value(noteKey{}).(map[string]notes)[args[0]] = content(ts, args[0])
}

// kept is "kept DIR": everything that note found is still there, byte for byte,
// but for RocksDB's own chronicle.
func kept(ts *testscript.TestScript, _ bool, args []string) {
	before := ts.Value(noteKey{}).(map[string]notes)[args[0]]
	now := content(ts, args[0])
	for name, b := range before {
		if is, ok := now[name]; !ok || !bytes.Equal(is, b) {
			ts.Fatalf("%s has changed, or is gone", filepath.Join(args[0], name))
		}
	}
}

type noteKey struct{}

func content(ts *testscript.TestScript, dir string) notes {
	found := notes{}
	root := ts.MkAbs(dir)
	ts.Check(filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || strings.HasPrefix(d.Name(), "LOG") {
			return err
		}
		found[strings.TrimPrefix(path, root)], err = os.ReadFile(path)
		return err
	}))
	return found
}
