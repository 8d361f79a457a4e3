package admin

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/credentials/insecure"

	auditv1 "verbatim/proto/verbatim/audit/v1"
	"verbatim/sidecar/chain"
)

// Errors by which callers of HoldSnapshot decide.
var (
	// ErrNoAddress: the log's directory names no admin port.
	ErrNoAddress = errors.New("no admin port is known")
	// ErrNoAnswer: nothing answers where the log's directory says the port is.
	ErrNoAnswer = errors.New("no answer from the admin port")
	// ErrOtherLog: the admin port that answers is that of another log.
	ErrOtherLog = errors.New("admin port serves another log")
)

// snapshotTimeout bounds the making of a snapshot: hard links, and what is in
// memory written to files.
const snapshotTimeout = time.Minute

// HoldSnapshot asks the process that writes the log for a copy, which
// auditlog.OpenReadOnly can open, and the addresses that are being captured. The
// copy stays until release is called or that process stops; release is nil on
// an error, may be called more than once, and ends everything that HoldSnapshot
// started. ctx bounds the whole time of holding. Errors: ErrNoAddress,
// ErrNoAnswer, ErrOtherLog, or why no copy could be made.
func HoldSnapshot(ctx context.Context, logDir string) (path string, captured []string, release func(), err error) {
	conn, addr, _, err := dial(logDir)
	if err != nil {
		return "", nil, nil, fmt.Errorf("ask for a snapshot of %s: %w", logDir, err)
	}
	holding, cancel := context.WithCancel(ctx)
	release = func() {
		cancel()
		conn.Close() //nolint:errcheck // closed before is closed
	}
	m, err := firstSnapshot(holding, cancel, conn)
	if err == nil {
		path, err = ownSnapshot(logDir, m.GetPath())
	}
	if err != nil {
		release()
		return "", nil, nil, fmt.Errorf("ask %s for a snapshot of %s: %w", addr, logDir, err)
	}
	return path, m.GetCapturedAddresses(), release, nil
}

// dial connects to the process that writes the log with an id, as its directory names
// both; another's may answer there.
func dial(logDir string) (conn *grpc.ClientConn, addr string, id chain.Hash, err error) {
	if addr, id, err = readAddress(logDir); err != nil {
		return nil, "", id, err
	}
	// A proxy of the environment is for the network, not for a port of ours.
	conn, err = grpc.NewClient("passthrough:///"+addr, grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithNoProxy())
	if err != nil {
		return nil, "", id, fmt.Errorf("connect to %s: %w", addr, err)
	}
	return conn, addr, id, nil
}

// firstSnapshot returns the one message of the call, which goes on until ctx
// ends.
func firstSnapshot(ctx context.Context, cancel func(), conn *grpc.ClientConn) (*auditv1.HoldSnapshotResponse, error) {
	late := time.AfterFunc(snapshotTimeout, cancel)
	stream, err := auditv1.NewAuditServiceClient(conn).HoldSnapshot(ctx, &auditv1.HoldSnapshotRequest{})
	var m *auditv1.HoldSnapshotResponse
	if err == nil {
		m, err = stream.Recv()
	}
	inTime := late.Stop()
	switch {
	case err == nil && inTime:
		return m, nil
	case !inTime:
		return nil, fmt.Errorf("%w within %s", ErrNoAnswer, snapshotTimeout)
	}
	return nil, orNoAnswer(conn, err)
}

// orNoAnswer is a call's error, or ErrNoAnswer where nobody was reached.
func orNoAnswer(conn *grpc.ClientConn, err error) error {
	if conn.GetState() == connectivity.Ready {
		return err
	}
	return fmt.Errorf("%w: the verbatim serve that wrote this address into the file %s is gone, or hangs: %w", ErrNoAnswer, addressFile, err)
}

// ownSnapshot is a snapshot's path as this process sees its log's directory,
// which may be mounted elsewhere for the other one.
func ownSnapshot(logDir, path string) (string, error) {
	own := filepath.Join(logDir, filepath.Base(filepath.Dir(path)), filepath.Base(path))
	if _, err := os.Stat(own); err != nil {
		return "", fmt.Errorf("%w: it made %s, and there is no %s: %w", ErrOtherLog, path, own, err)
	}
	return own, nil
}
