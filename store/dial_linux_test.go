package store

import (
	"net"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// The system gives up a connection to a machine that is gone, with something under way and without.
func TestSilentNetworks(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	connection, err := dialDatabase(t.Context(), "tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	socket, err := connection.(syscall.Conn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	if err := socket.Control(func(descriptor uintptr) {
		for option, want := range map[[2]int]int{
			{unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT}: 5000,
			{unix.SOL_SOCKET, unix.SO_KEEPALIVE}:      1,
			{unix.IPPROTO_TCP, unix.TCP_KEEPIDLE}:     2,
			{unix.IPPROTO_TCP, unix.TCP_KEEPINTVL}:    1,
			{unix.IPPROTO_TCP, unix.TCP_KEEPCNT}:      3,
		} {
			if got, err := unix.GetsockoptInt(int(descriptor), option[0], option[1]); got != want || err != nil {
				t.Errorf("option %v is %d, not %d (%v)", option, got, want, err)
			}
		}
	}); err != nil {
		t.Fatal(err)
	}
}

// A socket that is a file has no network.
func TestLocalSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	connection, err := dialDatabase(t.Context(), "unix", path)
	if err != nil {
		t.Fatal(err)
	}
	_ = connection.Close()
}
