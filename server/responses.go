package server

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/labstack/echo/v4"

	"github.com/opencalls/opencalls/handlers"
)

// checkResponse validates each answer of an operation against openapi.yaml before it is sent.
func checkResponse(cfg Config, op operation) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		if cfg.ValidateResponses == ValidateOff {
			return next
		}
		next = recoverPanics()(next) // or the answer to a panic would go into the held one
		return func(c echo.Context) error {
			response := c.Response()
			before := response.Header().Clone()
			held := &heldResponse{ResponseWriter: response.Writer, status: http.StatusOK}
			response.Writer = held
			err := next(c)
			if err != nil {
				c.Error(err)
			}
			response.Writer = held.ResponseWriter
			violation := validateResponse(c.Request(), op, held.status, response.Header(), held.content.Bytes())
			switch {
			case violation == nil:
			case cfg.ValidateResponses == ValidateLog:
				cfg.Logger.WarnContext(c.Request().Context(), "response does not match openapi.yaml",
					"request_id", handlers.RequestFrom(c.Request().Context()).ID, "violation", violation.Error())
			default:
				resetResponse(response, before)
				detail := "Response does not match openapi.yaml: " + violation.Error()
				return &handlers.Problem{Status: http.StatusInternalServerError, Detail: detail}
			}
			held.send()
			return err // for the log: the answer is written already
		}
	}
}

// resetResponse drops an answer that was held back, so that another one can take its place.
func resetResponse(response *echo.Response, before http.Header) {
	response.Committed, response.Size = false, 0
	clear(response.Header())
	maps.Copy(response.Header(), before)
}

// heldResponse keeps an answer back.
type heldResponse struct {
	http.ResponseWriter
	status  int
	content bytes.Buffer
}

func (h *heldResponse) WriteHeader(status int)            { h.status = status }
func (h *heldResponse) Write(content []byte) (int, error) { return h.content.Write(content) }

func (h *heldResponse) send() {
	h.ResponseWriter.WriteHeader(h.status)
	_, _ = h.ResponseWriter.Write(h.content.Bytes()) // nobody is told of a client that is gone
}

// validateResponse says in which operation and field an answer differs from openapi.yaml.
func validateResponse(r *http.Request, op operation, status int, header http.Header, content []byte) error {
	if status == statusClientGone {
		return nil
	}
	definition := op.route.Operation.Responses.Status(status)
	if definition == nil {
		return fmt.Errorf("operation %s has no status %d", op.id, status)
	}
	if len(definition.Value.Content) == 0 && len(content) > 0 {
		return fmt.Errorf("operation %s, status %d: a body where there should be none", op.id, status)
	}
	request := *r
	request.Method = http.MethodGet // the library checks nothing at all in an answer to HEAD
	input := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: &request, Route: op.route},
		Status:                 status,
		Header:                 header,
		Options: &openapi3filter.Options{
			IncludeResponseStatus: true, MultiError: true,
			SchemaValidationOptions: []openapi3.SchemaValidationOption{answerFormats, openapi3.VisitAsResponse()},
		},
	}
	input.SetBodyBytes(content)
	err := openapi3filter.ValidateResponse(r.Context(), input)
	if err == nil {
		return nil
	}
	where := ""
	var response *openapi3filter.ResponseError
	if errors.As(err, &response) && strings.HasPrefix(response.Reason, "response header") {
		where = response.Reason // names the header; the fields below are those of the body
	}
	list := schemaErrors(err)
	switch {
	case len(list) > 0 && where != "":
		return fmt.Errorf("operation %s, status %d, %s: %s", op.id, status, where, list[0].Reason)
	case len(list) > 0:
		field := strings.Join(list[0].JSONPointer(), "/")
		return fmt.Errorf("operation %s, status %d, field /%s: %s", op.id, status, field, list[0].Reason)
	}
	return fmt.Errorf("operation %s, status %d: %w", op.id, status, err)
}
