package filter

import (
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// webSocket is the upgrade that Envoy hands to the sidecar, which decides
// whether it passes. Without that Envoy refuses it before the capture: nobody
// would see that somebody asked. Upgrades to anything else Envoy refuses itself.
const webSocket = "websocket"

// upgrades is empty in a plain proxy, which refuses all of them.
func (b Bootstrap) upgrades() []*hcmv3.HttpConnectionManager_UpgradeConfig {
	if b.Capture == nil {
		return nil
	}
	return []*hcmv3.HttpConnectionManager_UpgradeConfig{{UpgradeType: webSocket, Enabled: wrapperspb.Bool(true)}}
}

// clientHTTP2 lets a client ask for an upgrade by extended CONNECT, RFC 8441,
// where the sidecar sees it.
func (b Bootstrap) clientHTTP2() *corev3.Http2ProtocolOptions {
	o := http2Options(b.maxEventBytes())
	o.AllowConnect = b.Capture != nil
	return o
}
