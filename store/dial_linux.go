package store

import (
	"errors"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// limitSilence has a connection fail once what was sent on it is not acknowledged for that long:
// the other end's machine is gone. Without this the system tries for a quarter of an hour.
func limitSilence(socket syscall.RawConn, limit time.Duration) error {
	var failed error
	err := socket.Control(func(descriptor uintptr) {
		failed = unix.SetsockoptInt(int(descriptor), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(limit.Milliseconds()))
	})
	return errors.Join(err, failed)
}
