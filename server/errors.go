package server

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/opencalls/opencalls/handlers"
	"github.com/opencalls/opencalls/store"
)

// statusClientGone is what the log shows where the client did not wait for the answer.
const statusClientGone = 499

var errNotUTF8 = handlers.Refuse(http.StatusBadRequest, "Malformed request: not valid UTF-8.")

// writeError is the only writer of error bodies.
func writeError(err error, c echo.Context) {
	if c.Response().Committed {
		return
	}
	problem := problemOf(err, c.Request())
	header := c.Response().Header()
	switch problem.Status {
	case http.StatusUnauthorized:
		header.Set(echo.HeaderWWWAuthenticate, "Token")
	case http.StatusRequestTimeout:
		header.Set(echo.HeaderConnection, "close") // the rest of the body may still come
	}
	if wait := math.Ceil(problem.RetryAfter.Seconds()); wait > 0 {
		header.Set(echo.HeaderRetryAfter, strconv.Itoa(int(wait)))
	}
	if c.Request().Method == http.MethodHead || problem.Status == statusClientGone {
		_ = c.NoContent(problem.Status)
		return
	}
	var body any = map[string]string{"detail": problem.Detail}
	if problem.Detail == "" {
		body = problem.Fields
	}
	text, _ := json.Marshal(body) // strings and lists of them
	_ = c.Blob(problem.Status, echo.MIMEApplicationJSON, append(text, '\n'))
}

// problemOf says what a client is told of an error.
func problemOf(err error, r *http.Request) *handlers.Problem {
	var problem *handlers.Problem
	var routing *echo.HTTPError
	switch {
	case errors.As(err, &problem):
		return problem
	case errors.Is(err, store.ErrNotFound), errors.Is(err, echo.ErrNotFound):
		return handlers.Refuse(http.StatusNotFound, cmp.Or(handlers.RequestFrom(r.Context()).NotFound, "Not found."))
	case errors.Is(err, store.ErrInvalidPage):
		return handlers.Refuse(http.StatusNotFound, "Invalid page.")
	case errors.As(err, &routing) && routing.Code == http.StatusMethodNotAllowed:
		return handlers.Refuse(http.StatusMethodNotAllowed, fmt.Sprintf("Method %q not allowed.", r.Method))
	case errors.Is(err, context.Canceled): // nothing but the client's leaving cancels the work
		return handlers.Refuse(statusClientGone, "")
	case errors.Is(err, store.ErrUnavailable), errors.Is(err, errNoRoom), errors.Is(err, context.DeadlineExceeded):
		return &handlers.Problem{
			Status: http.StatusServiceUnavailable, Detail: "Service temporarily unavailable.", RetryAfter: time.Second,
		}
	}
	return handlers.Refuse(http.StatusInternalServerError, "Internal server error.")
}
