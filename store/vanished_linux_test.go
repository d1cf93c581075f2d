package store_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/url"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"golang.org/x/sys/unix"

	"github.com/opencalls/opencalls/store"
	"github.com/opencalls/opencalls/store/storetest"
)

// machine is where a Postgres seems to be, until it vanishes.
type machine struct {
	mu          sync.Mutex
	connections []connection // the first is the listener
}

type connection interface {
	syscall.Conn
	io.Closer
}

// newMachine passes connections on to the Postgres of a URL, and returns a URL by way of itself.
func newMachine(t *testing.T, databaseURL string) (*machine, string) {
	t.Helper()
	u, err := url.Parse(databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	postgres, err := pgx.ParseConfig(databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	network, address := pgconn.NetworkAddress(postgres.Host, postgres.Port)
	var config net.ListenConfig
	config.SetMultipathTCP(false) // which has no filters
	listener, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m := &machine{connections: []connection{listener.(*net.TCPListener)}}
	t.Cleanup(func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		for _, c := range m.connections {
			_ = c.Close()
		}
	})
	go func() {
		for {
			in, err := listener.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial(network, address)
			if err != nil {
				_ = in.Close()
				continue
			}
			m.mu.Lock()
			m.connections = append(m.connections, in.(*net.TCPConn))
			m.mu.Unlock()
			for to, from := range map[net.Conn]net.Conn{in: out, out: in} {
				go func() {
					_, _ = io.Copy(to, from)
					_ = to.Close()
				}()
			}
		}
	}()
	u.Host = listener.Addr().String()
	query := u.Query()
	query.Del("host")
	u.RawQuery = query.Encode()
	return m, u.String()
}

// vanish has the system throw away whatever comes to the machine, before it acknowledges it.
func (m *machine) vanish(t *testing.T) {
	t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	nothing := []unix.SockFilter{{Code: unix.BPF_RET | unix.BPF_K, K: 0}}
	for _, c := range m.connections {
		socket, err := c.SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		var failed error
		if err := socket.Control(func(descriptor uintptr) {
			failed = unix.SetsockoptSockFprog(int(descriptor), unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: 1, Filter: &nothing[0]})
		}); err != nil || failed != nil {
			t.Fatal(err, failed)
		}
	}
}

// A machine that vanishes without a word is a database that is not there, for what is under way on
// its connections, for what comes to them, and for new ones.
func TestPostgresVanishes(t *testing.T) {
	for _, engine := range storetest.Engines() {
		if engine == storetest.Postgres {
			t.Run(engine, testPostgresVanishes)
		}
	}
}

func testPostgresVanishes(t *testing.T) {
	t.Parallel()
	m, databaseURL := newMachine(t, storetest.MigratedURL(t, storetest.Postgres))
	s := storetest.OpenURL(t, databaseURL)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // much longer than it may take
	defer cancel()
	read := func() error {
		_, err := s.UserByName(ctx, "alice")
		return err
	}
	if err := read(); !errors.Is(err, store.ErrNotFound) {
		t.Fatal(err)
	}
	err := s.Write(ctx, store.Actor{}, func(tx *store.Tx) error {
		if err := addUser(tx); err != nil {
			return err
		}
		m.vanish(t)
		var group sync.WaitGroup
		for range 3 {
			group.Go(func() { unavailable(t, read()) })
		}
		err := addUser(tx)
		unavailable(t, err)
		group.Wait()
		return err
	})
	unavailable(t, err)
	if ctx.Err() != nil {
		t.Error("it took a minute")
	}
}
