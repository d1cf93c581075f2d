package store

import (
	"context"
	"net"
	"strings"
	"syscall"
	"time"
)

// networkSilence is how long the machine of a database may say nothing before a connection to it
// is given up, whether a statement is under way or not.
const networkSilence = 5 * time.Second

// dialDatabase connects over a network that may break.
func dialDatabase(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := net.Dialer{
		KeepAliveConfig: net.KeepAliveConfig{
			Enable: true, Idle: networkSilence - 3*time.Second, Interval: time.Second, Count: 3,
		},
		Control: func(network, _ string, socket syscall.RawConn) error {
			if !strings.HasPrefix(network, "tcp") {
				return nil
			}
			return limitSilence(socket, networkSilence)
		},
	}
	return dialer.DialContext(ctx, network, address)
}
