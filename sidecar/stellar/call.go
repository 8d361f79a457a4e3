package stellar

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/stellar/go-stellar-sdk/clients/rpcclient"
)

// maxAnswer bounds an answer, in bytes.
const maxAnswer = 4 << 20

// call asks the server one thing. Each has an rpcclient of its own: a shared one
// can't cancel what it asked, waits for all others when one fails, and knows of an
// error nothing but its text.
func call[A any](ctx context.Context, c *Client, method string, ask func(*rpcclient.Client, context.Context) (A, error)) (A, error) {
	var none A
	within, cancel := context.WithTimeoutCause(ctx, c.answerTime, fmt.Errorf("no answer within %s", c.answerTime))
	defer cancel()
	e := &exchange{ctx: within, transport: c.transport}
	rpc := rpcclient.NewClient(c.url, &http.Client{Transport: e})
	answer, err := ask(rpc, within)
	_ = rpc.Close() // ends its goroutines; says again what err says
	switch {
	case err == nil:
		return answer, nil
	case within.Err() != nil:
		return none, &ServerError{Server: c.server, Method: method, Err: context.Cause(within)}
	case e.unreachable != nil:
		return none, &ServerError{Server: c.server, Method: method, Err: e.unreachable}
	case e.nonsense != nil:
		return none, c.nonsense(method, e.nonsense)
	}
	return none, c.nonsense(method, fmt.Errorf("%.300s", err.Error()))
}

// exchange is the RoundTripper of one question. It bounds the answer, looks that it
// is one to this question, and keeps the reason when it is not. It follows no
// redirections: the question may hold a signed transaction.
type exchange struct {
	ctx       context.Context
	transport http.RoundTripper

	// One of them is set after a failure, read when the rpcclient is closed.
	unreachable, nonsense error
}

func (e *exchange) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := e.transport.RoundTrip(r.Clone(e.ctx))
	if err != nil {
		e.unreachable = err
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		e.unreachable = fmt.Errorf("HTTP status %d", resp.StatusCode)
		return nil, e.unreachable
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		e.unreachable = fmt.Errorf("read answer: %w", err)
		return nil, e.unreachable
	case len(body) > maxAnswer:
		e.nonsense = fmt.Errorf("it is longer than %d bytes", maxAnswer)
		return nil, e.nonsense
	}
	if err := e.check(r, body); err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

// check reads the frame of a JSON-RPC answer. An answer to something else would
// otherwise never reach the one who asked.
func (e *exchange) check(r *http.Request, body []byte) error {
	asked, err := askedID(r)
	if err != nil {
		e.nonsense = err
		return err
	}
	var answer struct {
		ID     json.RawMessage `json:"id"`
		Result json.RawMessage `json:"result"`
		Error  *struct {
			Code    int64  `json:"code"`
			Message string `json:"message"`
		} `json:"error"`
	}
	switch err := json.Unmarshal(body, &answer); {
	case err != nil:
		e.nonsense = fmt.Errorf("it is no JSON-RPC answer: %w", err)
	case answer.Error != nil && brokenServer(answer.Error.Code):
		e.unreachable = fmt.Errorf("it says %.300q (%d)", answer.Error.Message, answer.Error.Code)
	case answer.Error != nil:
		e.nonsense = fmt.Errorf("it says %.300q (%d): is it the RPC server of a Stellar network?", answer.Error.Message, answer.Error.Code)
	case !bytes.Equal(answer.ID, asked):
		e.nonsense = fmt.Errorf("it is the answer to question %.20q, asked was %s", answer.ID, asked)
	case len(answer.Result) == 0 || answer.Result[0] != '{':
		e.nonsense = errors.New("its result is not an object")
	}
	return errors.Join(e.nonsense, e.unreachable)
}

// brokenServer: JSON-RPC's codes for what the server can't do just now. The others
// say that the question is wrong.
func brokenServer(code int64) bool { return code == -32603 || -32099 <= code && code <= -32000 }

func askedID(r *http.Request) (json.RawMessage, error) {
	body, err := r.GetBody()
	if err != nil {
		return nil, err
	}
	defer body.Close()
	var question struct {
		ID json.RawMessage `json:"id"`
	}
	if err := json.NewDecoder(body).Decode(&question); err != nil {
		return nil, err
	}
	return question.ID, nil
}
