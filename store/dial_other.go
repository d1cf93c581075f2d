//go:build !linux

package store

import (
	"syscall"
	"time"
)

// limitSilence does nothing: other systems than Linux have no such limit, and the time of the
// request is the one that counts.
func limitSilence(syscall.RawConn, time.Duration) error { return nil }
