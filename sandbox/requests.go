package sandbox

import (
	"bytes"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/opencalls/opencalls/access"
	api "github.com/opencalls/opencalls/gen/sandbox"
	"github.com/opencalls/opencalls/handlers"
)

// Request is a request that the server received.
type Request = api.SandboxRequest

const (
	maxRequests     = 1000     // that are kept
	maxRecordedBody = 64 << 10 // of each, in bytes
)

// Requests returns the last 1,000 requests, the oldest first.
func (s *Sandbox) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// around records a request, and applies preferences and faults to it.
func (s *Sandbox) around(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		if strings.Contains(c.Path(), ":name") && !snapshotName.MatchString(c.Param("name")) {
			return handlers.Refuse(http.StatusBadRequest, "A name has 1 to 100 letters, digits, dots, dashes and underscores.")
		}
		if strings.HasPrefix(r.URL.Path, "/sandbox/") {
			return next(c)
		}
		// A usual body has come before the request is under way, so that a slow client delays no reset. Who
		// reads the rest meets the error again.
		start, _ := io.ReadAll(io.LimitReader(r.Body, maxRecordedBody))
		r.Body = io.NopCloser(io.MultiReader(bytes.NewReader(start), r.Body))
		received := Request{
			Method: r.Method, Path: r.URL.EscapedPath(), Query: r.URL.RawQuery, Body: string(start), Validation: api.Unchecked,
		}
		op, wanted := s.operations[r.Method+" "+c.Path()], effect{}
		if op != nil {
			received.OperationID = op.OperationID
			wanted = s.wanted(c, op)
		}
		err := s.answer(c, op, wanted, next)
		received.Status = c.Response().Status
		switch refused := []int{400, 404, 405, 413, 415}; {
		case handlers.RequestFrom(r.Context()).Valid:
			received.Validation = api.Valid
		case wanted.code == 0 && slices.Contains(refused, received.Status):
			received.Validation = api.Invalid
		}
		if received.Path == "/healthz" || received.Path == "/readyz" {
			return err
		}
		if user := access.From(c.Request().Context()).UserUUID; user != uuid.Nil {
			received.User = user.String()
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.requests = append(s.requests, received)
		s.requests = slices.Delete(s.requests, 0, max(0, len(s.requests)-maxRequests))
		return err
	}
}

// wanted is what the Prefer header of a request asks for, or else what the faults have for it.
func (s *Sandbox) wanted(c echo.Context, op *openapi3.Operation) effect {
	r := c.Request()
	wanted, applied, ignored := prefer(strings.Join(r.Header.Values("Prefer"), ","), op)
	if ignored != nil {
		id := handlers.RequestFrom(r.Context()).ID
		s.cfg.Logger.WarnContext(r.Context(), "preferences are ignored", "request_id", id, "preferences", ignored.Error())
	}
	if len(applied) == 0 {
		return s.nextFault(op.OperationID)
	}
	c.Response().Header().Set("Preference-Applied", strings.Join(applied, ", "))
	return wanted
}

// answer answers a request. Its error is for the log.
func (s *Sandbox) answer(c echo.Context, op *openapi3.Operation, wanted effect, next echo.HandlerFunc) error {
	err := wait(c, wanted.delay)
	if wanted.disconnect {
		c.Response().Writer = bodiless{c.Response().Writer}
	}
	switch {
	case err != nil:
	case wanted.code != 0:
		err = writeDocumented(c, op.Responses.Status(wanted.code).Value, wanted.code)
	default:
		s.state.RLock()
		defer s.state.RUnlock()
		err = next(c)
	}
	if err != nil {
		c.Error(err)
	}
	return err
}

// wait lets time pass, unless the client goes. The connection's own limits don't count from then on.
func wait(c echo.Context, delay time.Duration) error {
	if delay == 0 {
		return nil
	}
	connection := http.NewResponseController(c.Response())
	_ = connection.SetReadDeadline(time.Time{}) // fails on what is no connection
	_ = connection.SetWriteDeadline(time.Time{})
	select {
	case <-c.Request().Context().Done():
		return c.Request().Context().Err()
	case <-time.After(delay):
		return nil
	}
}

// bodiless is an answer without its body. The headers promise a byte, so the HTTP server ends the connection.
type bodiless struct{ http.ResponseWriter }

func (b bodiless) WriteHeader(status int) {
	b.Header().Set(echo.HeaderConnection, "close")
	if status != http.StatusNoContent {
		b.Header().Set(echo.HeaderContentLength, "1")
	}
	b.ResponseWriter.WriteHeader(status)
}

func (bodiless) Write(content []byte) (int, error) { return len(content), nil }
