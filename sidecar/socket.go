package sidecar

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"
)

// listenSocket listens on a Unix socket that only its owner may use (0600). A
// socket that nobody answers on is one that a crash left, and is replaced.
func listenSocket(ctx context.Context, path string) (net.Listener, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("listen on socket %s: %w; name another path", path, err)
	}
	if err := removeStale(ctx, path); err != nil {
		return nil, err
	}
	// The mode has to be right before anyone can connect, so it comes from the
	// umask; nothing else of this process makes files at this time.
	old := syscall.Umask(0o177)
	defer syscall.Umask(old)
	var config net.ListenConfig
	l, err := config.Listen(ctx, "unix", path)
	if err != nil {
		return nil, fmt.Errorf("listen on socket %s: %w; name another path", path, err)
	}
	return l, nil
}

func removeStale(ctx context.Context, path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("listen on socket %s: %w; name another path", path, err)
	}
	if info.Mode()&fs.ModeSocket == 0 {
		return fmt.Errorf("listen on socket %s: something else is there; name another path", path)
	}
	var d net.Dialer
	c, err := d.DialContext(context.WithoutCancel(ctx), "unix", path)
	if err == nil {
		return errors.Join(fmt.Errorf("listen on socket %s: another process answers on it; stop it or name another path", path), c.Close())
	}
	// Only a refusal says that nobody listens; a busy listener fails otherwise.
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("listen on socket %s: who answers on it is not known: %w; remove it or name another path", path, err)
	}
	if err := os.Remove(path); err != nil {
		return fmt.Errorf("remove stale socket: %w", err)
	}
	return nil
}
