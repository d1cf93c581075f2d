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

	"github.com/labstack/echo/v4"

	"github.com/opencalls/opencalls/handlers"
	"github.com/opencalls/opencalls/store"
)

// statusClientGone is what the log shows where the client did not wait for the answer.
const statusClientGone = 499

// retryAfter is how many seconds a client is asked to wait after a 503.
const retryAfter = "1"

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
	case http.StatusTooManyRequests:
		header.Set(echo.HeaderRetryAfter, strconv.Itoa(int(math.Ceil(problem.RetryAfter.Seconds()))))
	case http.StatusServiceUnavailable:
		header.Set(echo.HeaderRetryAfter, retryAfter)
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
		text := cmp.Or(handlers.RequestFrom(r.Context()).NotFound, "Not found.")
		return &handlers.Problem{Status: http.StatusNotFound, Detail: text}
	case errors.Is(err, store.ErrInvalidPage):
		return &handlers.Problem{Status: http.StatusNotFound, Detail: "Invalid page."}
	case errors.As(err, &routing) && routing.Code == http.StatusMethodNotAllowed:
		return &handlers.Problem{Status: http.StatusMethodNotAllowed, Detail: fmt.Sprintf("Method %q not allowed.", r.Method)}
	case errors.Is(err, context.Canceled) && r.Context().Err() != nil:
		return &handlers.Problem{Status: statusClientGone}
	case errors.Is(err, store.ErrUnavailable), errors.Is(err, errNoRoom), errors.Is(err, context.DeadlineExceeded):
		return &handlers.Problem{Status: http.StatusServiceUnavailable, Detail: "Service temporarily unavailable."}
	}
	return &handlers.Problem{Status: http.StatusInternalServerError, Detail: "Internal server error."}
}

// malformed is a 400 for a request that can't be read.
func malformed(detail string) *handlers.Problem {
	return &handlers.Problem{Status: http.StatusBadRequest, Detail: detail}
}

const textNotUTF8 = "Malformed request: not valid UTF-8."
