package server

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/uuid"
	"github.com/labstack/echo/v4"
)

// One user gets a quarter of the memory, others the rest; what finds no room waits for it.
func TestBodyMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const quarter = 25
		m := newBodyMemory(4*quarter, 10*time.Second)
		one := uuid.New()
		take := func(user uuid.UUID, size int64) func() {
			t.Helper()
			release, err := m.reserve(t.Context(), user, size)
			if err != nil {
				t.Fatal(err)
			}
			return release
		}
		refuse := func(user uuid.UUID) {
			t.Helper()
			began := time.Now()
			if _, err := m.reserve(t.Context(), user, 1); !errors.Is(err, errNoRoom) || time.Since(began) != 10*time.Second {
				t.Errorf("got %v after %s", err, time.Since(began))
			}
		}
		releases := []func(){take(one, quarter-1), take(one, 1)}
		refuse(one)
		for range 3 {
			releases = append(releases, take(uuid.New(), quarter))
		}
		refuse(uuid.New())
		take(one, 0)()

		gone, leave := context.WithCancel(t.Context())
		leave()
		for _, user := range []uuid.UUID{one, uuid.New()} {
			if _, err := m.reserve(gone, user, 1); !errors.Is(err, context.Canceled) {
				t.Errorf("a client that is gone: %v", err)
			}
		}

		go func() {
			time.Sleep(time.Second)
			releases[1]()
		}()
		began := time.Now()
		releases[1] = take(one, 1)
		if time.Since(began) != time.Second {
			t.Errorf("waited %s", time.Since(began))
		}
		for _, release := range releases {
			release()
		}
		if len(m.users) != 0 || m.held != 0 {
			t.Errorf("%d users hold %d bytes after all", len(m.users), m.held)
		}
	})
}

// A body that finds no room is refused at once, even if the rest of it never arrives.
func TestNoRoomForABody(t *testing.T) {
	e := echo.New()
	e.HTTPErrorHandler = writeError
	op := operation{requestBody: &openapi3.RequestBody{}}
	e.POST("/", echo.NotFoundHandler, before(Config{NewUUID: uuid.New}.identify),
		readBody(Config{MaxBodyBytes: 1000}, op, newBodyMemory(4, time.Millisecond)))
	web := httptest.NewServer(e)
	defer web.Close()
	connection, err := net.Dial("tcp", web.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	if err := connection.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(connection, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{"); err != nil {
		t.Fatal(err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(connection), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusServiceUnavailable || answer.Header.Get("Retry-After") == "" || !answer.Close {
		t.Errorf("got %s with %v", answer.Status, answer.Header)
	}
}
