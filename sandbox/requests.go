package sandbox

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"regexp"
	"slices"
	"strconv"
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

// Fault is what happens to requests of an operation.
type Fault = api.SandboxFault

// Requests returns the last 1,000 requests, the oldest first, each with up to 64 KiB of its body.
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
		start, _ := io.ReadAll(io.LimitReader(r.Body, 64<<10))
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
		s.requests = slices.Delete(s.requests, 0, max(0, len(s.requests)-1000))
		return err
	}
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
	case <-time.After(delay):
	}
	return c.Request().Context().Err()
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

// effect is what happens to a request instead of what it asks for, or beside it.
type effect struct {
	code       int           // the error that is answered; 0 for none
	delay      time.Duration // before anything else happens
	disconnect bool          // the connection ends after the headers of the answer
}

// add adds what a preference or a fault names. Its error says why that can't be.
func (e *effect) add(name, value string, op *openapi3.Operation) (err error) {
	switch {
	case name == "code":
		e.code, err = strconv.Atoi(value)
		if err != nil || e.code < 400 || op.Responses.Status(e.code) == nil {
			e.code, err = 0, fmt.Errorf("code: %.100q is no error status of %s", value, op.OperationID)
		}
	case name == "delay":
		e.delay, err = time.ParseDuration(value)
		if err != nil || e.delay < 0 || e.delay > time.Minute {
			e.delay, err = 0, fmt.Errorf("delay: want a duration of at most 60s such as 200ms, not %.100q", value)
		}
	case name == "disconnect" && value == "":
		e.disconnect = true
	default:
		err = fmt.Errorf("unknown: %.100q", name)
	}
	return err
}

// preference is one of several that commas separate (RFC 7240). A quoted text may hold commas.
var preference = regexp.MustCompile(`(?:[^,"]|"(?:[^"\\]|\\.)*")+`)

// wanted is what the Prefer header of a request asks for, or else what the faults have for it.
func (s *Sandbox) wanted(c echo.Context, op *openapi3.Operation) (wanted effect) {
	r, applied := c.Request(), []string{}
	seen := map[string]bool{"": true} // what is between two commas may be nothing
	for _, text := range preference.FindAllString(strings.Join(r.Header.Values("Prefer"), ","), -1) {
		text, _, _ = strings.Cut(text, ";") // parameters, of which we have none
		name, value, _ := strings.Cut(text, "=")
		name, value = strings.ToLower(strings.TrimSpace(name)), strings.Trim(strings.TrimSpace(value), `"`)
		if seen[name] {
			continue // the first counts
		}
		seen[name] = true
		if err := wanted.add(name, value, op); err != nil {
			id := handlers.RequestFrom(r.Context()).ID
			s.cfg.Logger.WarnContext(r.Context(), "a preference is ignored", "request_id", id, "preference", err.Error())
			continue
		}
		applied = append(applied, strings.TrimSuffix(name+"="+value, "="))
	}
	if len(applied) == 0 {
		return s.nextFault(op.OperationID)
	}
	c.Response().Header().Set("Preference-Applied", strings.Join(applied, ", "))
	return wanted
}

// fault is a Fault that was checked. Its After and Times count down.
type fault struct {
	Fault
	effect effect
}

// SetFaults sets the faults, or adds to those that it keeps. It changes nothing where one is wrong.
func (s *Sandbox) SetFaults(keep bool, list ...Fault) error {
	var faults []*fault
	for i, wanted := range list {
		op, err := s.operations[wanted.Operation], error(nil)
		wanted.Times = cmp.Or(wanted.Times, math.MaxInt)
		f := &fault{wanted, effect{disconnect: wanted.Disconnect}}
		switch {
		case op == nil || op.OperationID != wanted.Operation:
			err = fmt.Errorf("operation: there is no operation %.100q", wanted.Operation)
		case wanted.Times < 0 || wanted.After < 0:
			err = errors.New("times: want times and after of at least 0")
		case wanted.Code == 0 && wanted.Delay == "" && !wanted.Disconnect:
			err = errors.New("code: want a code, a delay or disconnect")
		}
		if err == nil && wanted.Code != 0 {
			err = f.effect.add("code", strconv.Itoa(wanted.Code), op)
		}
		if err == nil && wanted.Delay != "" {
			err = f.effect.add("delay", wanted.Delay, op)
		}
		if err != nil {
			return fmt.Errorf("%d.%w", i, err)
		}
		faults = append(faults, f)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if keep {
		faults = append(s.faults, faults...)
	}
	s.faults = faults
	return nil
}

// nextFault returns what the faults have for a request of the operation, and counts it.
func (s *Sandbox) nextFault(operation string) effect {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.faults {
		switch {
		case f.Operation != operation || f.Times == 0:
		case f.After > 0:
			f.After--
		default:
			f.Times--
			return f.effect
		}
	}
	return effect{}
}

// writeDocumented answers with the first example of an error, and the headers that openapi.yaml has for it.
func writeDocumented(c echo.Context, response *openapi3.Response, code int) error {
	headers := c.Response().Header()
	for name, header := range response.Headers {
		if headers.Get(name) == "" { // the request has an id already
			headers.Set(name, fmt.Sprint(header.Value.Example))
		}
	}
	content := response.Content[echo.MIMEApplicationJSON]
	if content == nil {
		return c.NoContent(code) // of HEAD
	}
	first := slices.Min(slices.Collect(maps.Keys(content.Examples)))
	return c.JSON(code, content.Examples[first].Value.Value)
}
