package capture

import (
	"context"
	"net"
	"sync/atomic"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/peer"
)

// link is a connection from Envoy. It is closed before its streams are told that
// they have ended, so that a stream can find out whether Envoy ended it, or
// whether Envoy itself is gone.
type link struct {
	net.Conn
	credentials.CommonAuthInfo
	closed atomic.Bool
}

// AuthType makes a link known to its streams.
func (l *link) AuthType() string { return "link" }

// Close closes the connection, whoever asks for it.
func (l *link) Close() error {
	l.closed.Store(true)
	return l.Conn.Close()
}

// links are insecure credentials, as befits a Unix socket, that know each connection.
type links struct {
	credentials.TransportCredentials
}

// Links returns the credentials that a gRPC server of a Server needs: without
// them no Abort says that the client is gone.
func Links() credentials.TransportCredentials { return links{insecure.NewCredentials()} }

func (l links) ServerHandshake(conn net.Conn) (net.Conn, credentials.AuthInfo, error) {
	on := &link{Conn: conn, CommonAuthInfo: credentials.CommonAuthInfo{SecurityLevel: credentials.NoSecurity}}
	return on, on, nil
}

func (l links) Clone() credentials.TransportCredentials { return links{l.TransportCredentials.Clone()} }

// linked says whether Envoy's connection is known, and there.
func linked(ctx context.Context) bool {
	p, ok := peer.FromContext(ctx)
	if !ok {
		return false
	}
	on, ok := p.AuthInfo.(*link)
	return ok && !on.closed.Load()
}
