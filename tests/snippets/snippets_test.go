package snippets

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"verbatim/tests/mesh"
	"verbatim/tests/soroban"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(mesh.Main(m)) }

// page is what pipelines' owners read.
const page = "../../docs/pipelines.md"

// snippets are those of the page, by the language of their fence.
var snippets = map[string]struct {
	file    string
	command []string
}{
	"go":     {"snippet.go", nil},
	"python": {"snippet.py", []string{"python3", "snippet.py"}},
	"java":   {"Snippet.java", []string{"java", "-XX:TieredStopAtLevel=1", "Snippet.java"}},
	"js":     {"snippet.mjs", []string{"node", "snippet.mjs"}},
}

// TestThePageShowsTheFiles: the page has what is tested here, and nothing else in
// these languages.
func TestThePageShowsTheFiles(t *testing.T) {
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	shown := regexp.MustCompile("(?s)\n```(go|python|java|js)\n(.*?\n)```\n").FindAllStringSubmatch(string(text), -1)
	if len(shown) != len(snippets) {
		t.Errorf("the page has %d snippets, %d are tested", len(shown), len(snippets))
	}
	for _, s := range shown {
		if want := marked(t, snippets[s[1]].file); s[2] != want {
			t.Errorf("%s: the page shows\n%s\nthe file has\n%s", s[1], s[2], want)
		}
	}
}

// marked returns what stands between a file's marks, moved to the left edge.
func marked(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`(?s)\n( *)(?://|#) snippet\n(.*?\n) *(?://|#) end\n`).FindStringSubmatch(string(text))
	if m == nil {
		t.Fatalf("%s has no marks", file)
	}
	var b strings.Builder
	for line := range strings.Lines(strings.TrimSpace(m[2])) {
		b.WriteString(strings.TrimPrefix(line, m[1]))
	}
	return b.String() + "\n"
}

// TestSnippets: an answer is a function of the two headers, the time is the one in
// the header, and another seed gives other numbers.
func TestSnippets(t *testing.T) {
	for language, s := range snippets {
		t.Run(language, func(t *testing.T) {
			url := start(t, s.command)
			const ms, most = "1769853600123", "18446744073709551615"
			first, again, other := ask(t, url, ms, most), ask(t, url, ms, most), ask(t, url, ms, "7")
			if first != again || first == other || !strings.HasPrefix(first, ms+" ") {
				t.Errorf("%q, again %q, with another seed %q", first, again, other)
			}
			if fresh := ask(t, start(t, s.command), ms, most); fresh != first {
				t.Errorf("%q, a fresh instance says %q", first, fresh)
			}
		})
	}
}

// start starts a snippet's server and returns its URL.
func start(t *testing.T, command []string) string {
	t.Helper()
	if command == nil {
		s := httptest.NewServer(http.HandlerFunc(answer))
		t.Cleanup(s.Close)
		return s.URL
	}
	if _, err := exec.LookPath(command[0]); err != nil {
		soroban.LeaveOut(t, err.Error())
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	p, err := mesh.StartProcess(ctx, mesh.ProcessOptions{
		Name: "snippet", Path: command[0], Args: command[1:], Dir: t.TempDir(), Ready: regexp.MustCompile(`^listening (\S+)$`),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Kill)
	return "http://" + p.Match[1]
}

// answer is the Go snippet's handler.
func answer(w http.ResponseWriter, r *http.Request) {
	at, draw, err := eventOf(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	fmt.Fprintf(w, "%d %d", at.UnixMilli(), draw.Uint64())
}

func ask(t *testing.T, url, ms, seed string) string {
	t.Helper()
	q, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	q.Close = true // nothing stays open behind the test
	q.Header.Set("x-verbatim-clock-ms", ms)
	q.Header.Set("x-verbatim-seed", seed)
	resp, err := http.DefaultClient.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%d: %s, %v", resp.StatusCode, body, err)
	}
	return string(body)
}
