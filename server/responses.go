package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/opencalls/opencalls/handlers"
)

// checkResponse validates each answer of an operation against openapi.yaml before it is sent.
func checkResponse(cfg Config, op operation, violations prometheus.Counter) echo.MiddlewareFunc {
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
			violation := validateResponse(c.Request().Context(), op, held.status, response.Header(), held.content.Bytes())
			if violation != nil {
				violations.Inc()
			}
			switch {
			case violation == nil:
			case cfg.ValidateResponses == ValidateLog:
				cfg.Logger.WarnContext(c.Request().Context(), "response does not match openapi.yaml",
					"request_id", handlers.RequestFrom(c.Request().Context()).ID, "violation", violation.Error())
			default:
				response.Committed, response.Size = false, 0
				clear(response.Header())
				maps.Copy(response.Header(), before)
				return handlers.Refuse(http.StatusInternalServerError, "Response does not match openapi.yaml: "+violation.Error())
			}
			held.ResponseWriter.WriteHeader(held.status)
			_, _ = held.ResponseWriter.Write(held.content.Bytes()) // nobody is told of a client that is gone
			return err                                             // for the log: the answer is written already
		}
	}
}

// heldResponse keeps an answer back.
type heldResponse struct {
	http.ResponseWriter
	status  int
	content bytes.Buffer
}

func (h *heldResponse) WriteHeader(status int)            { h.status = status }
func (h *heldResponse) Write(content []byte) (int, error) { return h.content.Write(content) }

// validateResponse says in which operation and field an answer differs from openapi.yaml.
func validateResponse(ctx context.Context, op operation, status int, header http.Header, content []byte) error {
	if status == statusClientGone {
		return nil
	}
	definition := op.route.Operation.Responses.Status(status)
	if definition == nil {
		return fmt.Errorf("operation %s has no status %d", op.id, status)
	}
	place := fmt.Sprintf("operation %s, status %d", op.id, status)
	if len(definition.Value.Content) == 0 && len(content) > 0 {
		return errors.New(place + ": a body where there should be none")
	}
	request := &http.Request{Method: http.MethodGet} // the library checks nothing at all in an answer to HEAD
	input := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: request, Route: op.route},
		Status:                 status,
		Header:                 header,
		Options: &openapi3filter.Options{
			SchemaValidationOptions: []openapi3.SchemaValidationOption{
				formats, openapi3.VisitAsResponse(), openapi3.DisableSchemaErrorDetails(),
			},
		},
	}
	input.SetBodyBytes(content)
	if err := openapi3filter.ValidateResponse(ctx, input); err != nil {
		return fmt.Errorf("%s: %w", place, err)
	}
	return nil
}
