package bench

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/query"
	"verbatim/tests/mesh"
)

const newestEvents = 1000

// queries are what is measured, and what each must find.
func queries(b *testing.B, l *loadedLog) map[string]struct {
	selection query.Selection
	args      []string
	want      int
} {
	b.Helper()
	rare, err := query.ParseStatus(fmt.Sprint(rareStatus))
	if err != nil {
		b.Fatal(err)
	}
	newest := func(meter string, limit int) query.Selection {
		return query.Selection{Meters: []string{meter}, Order: query.NewestFirst, Limit: uint64(limit)}
	}
	flags := func(meter string, limit int) []string {
		return []string{"--newest-first", "--limit", fmt.Sprint(limit), "--meter", meter}
	}
	return map[string]struct {
		selection query.Selection
		args      []string
		want      int
	}{
		"the one answer with a status": {query.Selection{Statuses: []query.Status{rare}}, []string{"--status", rare.String()}, 1},
		"the one of a meter with it": {
			query.Selection{Statuses: []query.Status{rare}, Meters: []string{rareMeter, busyMeter}},
			[]string{"--status", rare.String(), "--meter", rareMeter, "--meter", busyMeter}, 1,
		},
		"newest of a meter":      {newest(l.some, newestEvents), flags(l.some, newestEvents), min(newestEvents, l.ofSome)},
		"newest of a busy meter": {newest(busyMeter, newestEvents), flags(busyMeter, newestEvents), newestEvents},
		"newest of all":          {query.Selection{Order: query.NewestFirst, Limit: newestEvents}, []string{"--newest-first", "--limit", fmt.Sprint(newestEvents)}, newestEvents},
	}
}

// BenchmarkQuery opens the loaded log for each query, so that nothing but the page
// cache is warm, and measures the opening, the first result and the last apart, on
// one core.
func BenchmarkQuery(b *testing.B) {
	l := loaded(b)
	for name, q := range queries(b, l) {
		b.Run(name, func(b *testing.B) {
			onOneCore(b)
			var opening, first, whole, busy time.Duration
			for b.Loop() {
				began := time.Now()
				v, err := auditlog.OpenReadOnly(l.dir)
				if err != nil {
					b.Fatal(err)
				}
				opened, busyBefore := time.Now(), cpuTime(b)
				n := 0
				for _, err := range query.Select(b.Context(), v, q.selection) {
					if err != nil {
						b.Fatal(err)
					}
					if n++; n == 1 {
						first += time.Since(opened)
					}
				}
				whole += time.Since(opened)
				busy += cpuTime(b) - busyBefore
				opening += opened.Sub(began)
				v.Close()
				if n != q.want {
					b.Fatalf("%d entries, want %d", n, q.want)
				}
			}
			report(b, "open_ms", opening)
			report(b, "first_ms", first)
			report(b, "whole_ms", whole)
			report(b, "whole_cpu_ms", busy)
		})
	}
}

// cpuTime is what this process has used: on a machine that does other things, too, it
// tells more than the clock.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// report gives the mean of a time in milliseconds.
func report(b *testing.B, unit string, sum time.Duration) {
	b.Helper()
	b.ReportMetric(sum.Seconds()*1000/float64(b.N), unit)
}

// BenchmarkQueryProcess is the same by a new process each time: the command, from
// its start to its first row and to its end. Beside it stands what a command takes
// that does nothing but say its version, of the program as it is installed and of the
// file that the linker left.
func BenchmarkQueryProcess(b *testing.B) {
	l := loaded(b)
	linked := mesh.Binary(b, "./cmd/verbatim")
	program := installed(b, linked)
	for name, q := range queries(b, l) {
		b.Run(name, func(b *testing.B) {
			onOneCore(b)
			var start, startLinked, first, whole, busy time.Duration
			for b.Loop() {
				began := time.Now()
				rowsOf(b, linked, "--version")
				startLinked += time.Since(began)
				began = time.Now()
				rowsOf(b, program, "--version")
				start += time.Since(began)
				began = time.Now()
				firstAt, rows, cpu := rowsOf(b, program, append([]string{"query", "--log", l.dir}, q.args...)...)
				whole += time.Since(began)
				first += firstAt.Sub(began)
				busy += cpu
				if rows != q.want {
					b.Fatalf("%d rows, want %d", rows, q.want)
				}
			}
			report(b, "start_ms", start)
			report(b, "linked_start_ms", startLinked)
			report(b, "first_ms", first)
			report(b, "whole_ms", whole)
			report(b, "whole_cpu_ms", busy)
		})
	}
}

// installed copies a program, as an image or a package does. The linker writes its file
// here and there, so the kernel keeps it as single pages, and each start maps those one
// by one; a file written in order is kept in larger pieces.
func installed(b *testing.B, program string) string {
	b.Helper()
	octets, err := os.ReadFile(program) //nolint:gosec // it was built by this test
	if err != nil {
		b.Fatal(err)
	}
	path := filepath.Join(b.TempDir(), filepath.Base(program))
	if err := os.WriteFile(path, octets, 0o700); err != nil { //nolint:gosec // a program
		b.Fatal(err)
	}
	return path
}

// rowsOf runs a query and counts the rows that it prints. cpu is what the process used.
func rowsOf(b *testing.B, program string, args ...string) (firstAt time.Time, rows int, cpu time.Duration) {
	b.Helper()
	cmd := exec.CommandContext(b.Context(), program, args...)
	var errors strings.Builder
	cmd.Stderr = &errors
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	lines := bufio.NewReader(out)
	for line := 0; ; line++ {
		_, err := lines.ReadString('\n')
		if err == io.EOF {
			break
		}
		if err != nil {
			b.Fatal(err)
		}
		if line == 1 { // behind the head
			firstAt = time.Now()
		}
		rows = line
	}
	if err := cmd.Wait(); err != nil {
		b.Fatalf("%v: %s", err, errors.String())
	}
	return firstAt, rows, cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
}
