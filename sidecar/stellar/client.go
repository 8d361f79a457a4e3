package stellar

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/stellar/go-stellar-sdk/clients/rpcclient"
	protocol "github.com/stellar/go-stellar-sdk/protocols/rpc"
)

// answerTime bounds one question to the server.
const answerTime = 15 * time.Second

// Client asks one RPC server. It is safe for use by several goroutines, and starts
// none that outlive a call, apart from idle connections until Close.
type Client struct {
	url        string
	server     string // scheme and host, for messages: the rest may hold a key
	passphrase string
	transport  *http.Transport
	answerTime time.Duration
	rightNet   atomic.Bool // CheckNetwork succeeded
}

// Dial makes a client for the RPC server at an http or https URL. passphrase is what
// the network must call itself: that is checked before the first transaction. Dial
// itself asks nothing.
func Dial(address, passphrase string) (*Client, error) {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		// The address is not shown: it may hold a key.
		return nil, errors.New("the RPC server's address is not a URL that begins with http:// or https:// and a host")
	case strings.TrimSpace(passphrase) == "":
		return nil, errors.New("the network's passphrase is empty")
	}
	base := http.DefaultTransport.(*http.Transport).Clone()
	return &Client{
		url: address, server: u.Scheme + "://" + u.Host, passphrase: passphrase,
		transport: base, answerTime: answerTime,
	}, nil
}

// Close closes idle connections.
func (c *Client) Close() { c.transport.CloseIdleConnections() }

// Passphrase is the network's, as given to Dial.
func (c *Client) Passphrase() string { return c.passphrase }

// CheckNetwork asks the server for its network; ErrWrongNetwork if it is another.
func (c *Client) CheckNetwork(ctx context.Context) error {
	answer, err := call(ctx, c, protocol.GetNetworkMethodName, (*rpcclient.Client).GetNetwork)
	if err != nil {
		return err
	}
	if answer.Passphrase != c.passphrase {
		return fmt.Errorf("%w: %s calls its network %.100q, expected is %q", ErrWrongNetwork, c.server, answer.Passphrase, c.passphrase)
	}
	c.rightNet.Store(true)
	return nil
}

// checkNetworkOnce asks until it was the right network one time.
func (c *Client) checkNetworkOnce(ctx context.Context) error {
	if c.rightNet.Load() {
		return nil
	}
	return c.CheckNetwork(ctx)
}

// LedgerTime is a ledger and when it closed.
type LedgerTime struct {
	Sequence uint32
	ClosedAt time.Time
}

// Latest is the newest ledger that the server knows. It asks for the server's health:
// getLatestLedger would send all that is in the ledger along.
func (c *Client) Latest(ctx context.Context) (LedgerTime, error) {
	answer, err := call(ctx, c, protocol.GetHealthMethodName, (*rpcclient.Client).GetHealth)
	if err != nil {
		return LedgerTime{}, err
	}
	latest, err := ledgerTime(answer.LatestLedger, answer.LatestLedgerCloseTime)
	if answer.LatestLedgerCloseTime == 0 {
		err = errors.New("it doesn't say when that closed, as servers do from version 27.1 on")
	}
	if err != nil {
		return LedgerTime{}, c.nonsense(protocol.GetHealthMethodName, fmt.Errorf("latest ledger: %w", err))
	}
	return latest, nil
}

// lastSecond is the last of the year 9999: later times have no usual text form.
const lastSecond = 253402300799

func closeTime[N int64 | uint64](seconds N) (time.Time, error) {
	if seconds <= 0 || uint64(seconds) > lastSecond {
		return time.Time{}, fmt.Errorf("close time %d is out of range", seconds)
	}
	return time.Unix(int64(seconds), 0), nil
}

func ledgerTime(sequence uint32, seconds int64) (LedgerTime, error) {
	if sequence == 0 || sequence > math.MaxInt32 {
		return LedgerTime{}, fmt.Errorf("ledger number %d is out of range", sequence)
	}
	at, err := closeTime(seconds)
	return LedgerTime{Sequence: sequence, ClosedAt: at}, err
}

// nonsense is the error of a wrong answer.
func (c *Client) nonsense(method string, err error) error {
	return &AnswerError{Server: c.server, Method: method, Err: err}
}
