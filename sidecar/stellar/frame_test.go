package stellar_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"verbatim/sidecar/stellar"
	"verbatim/tests/soroban"
)

// TestBrokenServers: what is wrong before the answer itself is looked at.
func TestBrokenServers(t *testing.T) {
	const secret = "KEYOFTHEACCOUNT"
	say := func(format string) func(http.ResponseWriter, string, json.RawMessage) {
		return func(w http.ResponseWriter, _ string, id json.RawMessage) {
			fmt.Fprint(w, strings.ReplaceAll(format, "ID", string(id)))
		}
	}
	status := func(code int) func(http.ResponseWriter, string, json.RawMessage) {
		return func(w http.ResponseWriter, _ string, _ json.RawMessage) {
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(code)
		}
	}
	for name, broken := range map[string]struct {
		kind  string
		frame func(http.ResponseWriter, string, json.RawMessage)
	}{
		"nothing":            {"nonsense", say(``)},
		"a page":             {"nonsense", say(`<html>Welcome</html>`)},
		"half an answer":     {"nonsense", say(`{"jsonrpc":"2.0","id":ID,"result":{"passphr`)},
		"two answers":        {"nonsense", say(`[{"jsonrpc":"2.0","id":ID,"result":{}},{"jsonrpc":"2.0","id":ID,"result":{}}]`)},
		"one after another":  {"nonsense", say(`{"jsonrpc":"2.0","id":ID,"result":{}}{}`)},
		"a string":           {"nonsense", say(`"OK"`)},
		"null":               {"nonsense", say(`null`)},
		"another version":    {"nonsense", say(`{"jsonrpc":"3.0","id":ID,"result":{}}`)},
		"another id":         {"nonsense", say(`{"jsonrpc":"2.0","id":77,"result":{}}`)},
		"a text as id":       {"nonsense", say(`{"jsonrpc":"2.0","id":"ID","result":{}}`)},
		"no id":              {"nonsense", say(`{"jsonrpc":"2.0","result":{}}`)},
		"no result":          {"nonsense", say(`{"jsonrpc":"2.0","id":ID}`)},
		"result null":        {"nonsense", say(`{"jsonrpc":"2.0","id":ID,"result":null}`)},
		"result list":        {"nonsense", say(`{"jsonrpc":"2.0","id":ID,"result":[]}`)},
		"result of numbers":  {"nonsense", say(`{"jsonrpc":"2.0","id":ID,"result":{"passphrase":5,"latestLedger":"x"}}`)},
		"a notification":     {"nonsense", say(`{"jsonrpc":"2.0","method":"getNetwork","params":{}}`)},
		"a question back":    {"nonsense", say(`{"jsonrpc":"2.0","id":ID,"method":"getNetwork","params":{}}`)},
		"unknown method":     {"nonsense", say(`{"jsonrpc":"2.0","id":ID,"error":{"code":-32601,"message":"method not found"}}`)},
		"wrong parameters":   {"nonsense", say(`{"jsonrpc":"2.0","id":ID,"error":{"code":-32602,"message":"no"}}`)},
		"error without code": {"nonsense", say(`{"jsonrpc":"2.0","id":ID,"error":{}}`)},
		"error as text":      {"nonsense", say(`{"jsonrpc":"2.0","id":ID,"error":"no"}`)},
		"endless":            {"nonsense", func(w http.ResponseWriter, _ string, _ json.RawMessage) { pour(w) }},
		"internal error":     {"unreachable", say(`{"jsonrpc":"2.0","id":ID,"error":{"code":-32603,"message":"latency is too high"}}`)},
		"server's error":     {"unreachable", say(`{"jsonrpc":"2.0","id":ID,"error":{"code":-32001,"message":"busy"}}`)},
		"no content":         {"unreachable", status(http.StatusNoContent)},
		"moved":              {"unreachable", status(http.StatusMovedPermanently)},
		"moved, same method": {"unreachable", status(http.StatusTemporaryRedirect)},
		"not allowed":        {"unreachable", status(http.StatusForbidden)},
		"not found":          {"unreachable", status(http.StatusNotFound)},
		"too many":           {"unreachable", status(http.StatusTooManyRequests)},
		"server error":       {"unreachable", status(http.StatusInternalServerError)},
		"hangs up":           {"unreachable", func(http.ResponseWriter, string, json.RawMessage) { panic(http.ErrAbortHandler) }},
		"hangs up halfway": {"unreachable", func(w http.ResponseWriter, _ string, _ json.RawMessage) {
			w.Header().Set("Content-Length", "1000")
			_, _ = io.WriteString(w, `{"jsonrpc":"2.0",`)
		}},
		"gzip that is none": {"unreachable", func(w http.ResponseWriter, _ string, _ json.RawMessage) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = io.WriteString(w, `{"jsonrpc":"2.0"}`)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			s, c, k := playAt(t, func(url string) string {
				return strings.Replace(url, "http://", "http://user:"+secret+"@", 1) + "/" + secret + "?key=" + secret
			})
			if err := c.CheckNetwork(t.Context()); err != nil { // the others don't ask for that again
				t.Fatal(err)
			}
			s.answerWith(broken.frame)
			for question, ask := range questions(s, c, k) {
				err := ask(t)
				if got := stellar.Kind(err); err == nil || got != broken.kind {
					t.Errorf("%s: kind is %s, not %s: %v", question, got, broken.kind, err)
				}
				if text := fmt.Sprint(err); strings.Contains(text, secret) || len(text) > 600 {
					t.Errorf("%s: the error shows the address's secret, or is long: %s", question, text)
				}
			}
		})
	}
}

// questions are all that a client can ask.
func questions(s *session, c *stellar.Client, k *stellar.Contract) map[string]func(*testing.T) error {
	return map[string]func(*testing.T) error{
		"network": func(t *testing.T) error { return c.CheckNetwork(t.Context()) },
		"latest":  func(t *testing.T) error { _, err := c.Latest(t.Context()); return err },
		"log":     func(t *testing.T) error { _, err := k.Log(t.Context(), recorded.LogID); return err },
		"roots":   func(t *testing.T) error { _, err := k.Roots(t.Context(), recorded.LogID, []uint64{1}); return err },
		"code":    func(t *testing.T) error { _, err := k.Executable(t.Context()); return err },
		"expired": func(t *testing.T) error { _, err := k.Expired(t.Context(), recorded.LogID, nil); return err },
		"prepare": func(t *testing.T) error {
			_, err := c.Prepare(t.Context(), recordedCommit(k), recordedPayment(t))
			return err
		},
		"send":    func(t *testing.T) error { return c.Send(t.Context(), s.Envelope) },
		"outcome": func(t *testing.T) error { _, err := c.Outcome(t.Context(), recordedHash(t, s)); return err },
	}
}

// pour writes more than any client should read.
func pour(w io.Writer) {
	block := []byte(strings.Repeat(" ", 1<<16))
	for range 1 << 10 {
		if _, err := w.Write(block); err != nil {
			return
		}
	}
}

// TestLongAnswer: of what is too long not everything is read.
func TestLongAnswer(t *testing.T) {
	const most = 4 << 20
	for length, kind := range map[int]string{most: "", most + 1: "nonsense"} {
		s, c, _ := play(t)
		s.answerWith(func(w http.ResponseWriter, _ string, id json.RawMessage) {
			good := fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"result":{"passphrase":%q}}`, id, soroban.Passphrase)
			fmt.Fprint(w, good+strings.Repeat(" ", length-len(good)))
		})
		err := c.CheckNetwork(t.Context())
		if kind == "" && err != nil {
			t.Errorf("an answer of %d bytes: %v", length, err)
		}
		if kind != "" {
			fails(t, err, kind, nil)
		}
	}
}

// silent never answers, until its test ends. It tells of each question.
func silent(t *testing.T) (frame func(http.ResponseWriter, string, json.RawMessage), asked <-chan struct{}) {
	end, got := make(chan struct{}), make(chan struct{}, 100)
	t.Cleanup(func() { close(end) })
	return func(http.ResponseWriter, string, json.RawMessage) {
		got <- struct{}{}
		<-end
	}, got
}

func TestSilentServer(t *testing.T) {
	s, c, k := play(t)
	if err := c.CheckNetwork(t.Context()); err != nil {
		t.Fatal(err)
	}
	frame, _ := silent(t)
	s.answerWith(frame)
	c.SetAnswerTime(20 * time.Millisecond)
	for question, ask := range questions(s, c, k) {
		err := ask(t)
		fails(t, err, "unreachable", nil)
		if !strings.Contains(err.Error(), "no answer within 20ms") {
			t.Errorf("%s: %v", question, err)
		}
	}
}

// TestCancelled: the caller does not wait for the server.
func TestCancelled(t *testing.T) {
	s, c, k := play(t)
	frame, asked := silent(t)
	s.answerWith(frame)
	c.SetAnswerTime(time.Hour)
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() {
		<-asked
		cancel(why)
	}()
	if _, err := k.Log(ctx, recorded.LogID); !errors.Is(err, why) {
		t.Errorf("error is %v", err)
	}
	if _, err := c.Latest(ctx); !errors.Is(err, why) {
		t.Errorf("error is %v", err)
	}
}

func TestNobodyListens(t *testing.T) {
	s, c, k := play(t)
	s.server.Close()
	for _, ask := range questions(s, c, k) {
		fails(t, ask(t), "unreachable", nil)
	}
}

func TestDial(t *testing.T) {
	for _, address := range []string{"", "localhost:8000", "ftp://host/", "http://", "://SECRET", "http://ho st/SECRET", "unix:///SECRET"} {
		if _, err := stellar.Dial(address, soroban.Passphrase); err == nil || strings.Contains(err.Error(), "SECRET") {
			t.Errorf("%q: %v", address, err)
		}
	}
	if _, err := stellar.Dial("https://host", "  "); err == nil {
		t.Error("an empty passphrase is taken")
	}
	c := dial(t, "https://host/path", "Some Network")
	if c.Passphrase() != "Some Network" {
		t.Errorf("passphrase is %q", c.Passphrase())
	}
}

// TestAwaitGoesOn while the server can't be reached, but not past nonsense.
func TestAwaitGoesOn(t *testing.T) {
	s, c, _ := play(t)
	if err := c.CheckNetwork(t.Context()); err != nil {
		t.Fatal(err)
	}
	tx := &stellar.Transaction{Hash: recordedHash(t, s)}
	s.answerWith(func(w http.ResponseWriter, _ string, _ json.RawMessage) {
		w.WriteHeader(http.StatusServiceUnavailable)
		s.answerWith(nil)
	})
	if out, err := c.Await(t.Context(), tx); err != nil || out.Status != stellar.Success {
		t.Errorf("it is %s: %v", out.Status, err)
	}
	s.answerWith(func(w http.ResponseWriter, _ string, _ json.RawMessage) { fmt.Fprint(w, "<html>") })
	_, err := c.Await(t.Context(), tx)
	fails(t, err, "nonsense", nil)
}
