package server

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/labstack/echo/v4"

	"github.com/opencalls/opencalls/handlers"
	"github.com/opencalls/opencalls/store"
)

// operation is one operation of openapi.yaml, looked up once.
type operation struct {
	id          string
	route       *routers.Route
	pathParams  []string
	queryParams []*openapi3.Parameter
	requestBody *openapi3.RequestBody
}

func operations(spec *openapi3.T) []operation {
	var list []operation
	for path, item := range spec.Paths.Map() {
		for method, definition := range item.Operations() {
			op := operation{
				id:    definition.OperationID,
				route: &routers.Route{Spec: spec, Path: path, PathItem: item, Method: method, Operation: definition},
			}
			for _, parameter := range append(item.Parameters, definition.Parameters...) {
				switch parameter.Value.In {
				case openapi3.ParameterInPath:
					op.pathParams = append(op.pathParams, parameter.Value.Name)
				case openapi3.ParameterInQuery:
					op.queryParams = append(op.queryParams, parameter.Value)
				}
			}
			if definition.RequestBody != nil {
				op.requestBody = definition.RequestBody.Value
			}
			list = append(list, op)
		}
	}
	return list
}

// rfc3339 refuses what time.Parse takes beyond RFC 3339: an hour of one digit, a comma in the
// seconds, an offset of a day and more.
var rfc3339 = regexp.MustCompile(`^[^T]{10}T\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$`)

// formats are the formats of openapi.yaml that the validator does not check by itself, or
// reads otherwise than we do.
var formats = openapi3.WithStringFormatValidators(map[string]openapi3.StringFormatValidator{
	"uuid": openapi3.NewCallbackValidator(func(text string) error {
		_, err := store.ParseUUID(text)
		return err
	}),
	"uri": openapi3.NewCallbackValidator(func(text string) error {
		u, err := url.Parse(text)
		if err == nil && (u.Scheme == "" || u.Host == "") {
			err = errors.New("not absolute")
		}
		return err
	}),
	// A leap second, or an offset that leads past the year 9999, would pass as a pattern and
	// fail in the database.
	"date-time": openapi3.NewCallbackValidator(func(text string) error {
		t, err := time.Parse(time.RFC3339, text)
		if err == nil && !rfc3339.MatchString(text) {
			err = errors.New("not RFC 3339")
		}
		if err == nil && (t.UTC().Year() > 9999 || t.UTC().Year() < 1) {
			err = errors.New("out of range")
		}
		return err
	}),
})

// validateRequest refuses what openapi.yaml alone shows to be wrong: every field and every
// parameter at once.
func validateRequest(op operation) echo.MiddlewareFunc {
	options := &openapi3filter.Options{SkipSettingDefaults: true, SchemaValidationOptions: []openapi3.SchemaValidationOption{formats}}
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r := c.Request()
			fields, wrongPage := map[string][]string{}, false
			if r.URL.RawQuery != "" {
				input := &openapi3filter.RequestValidationInput{Request: r, QueryParams: r.URL.Query(), Route: op.route, Options: options}
				for _, parameter := range op.queryParams {
					if !input.QueryParams.Has(parameter.Name) {
						continue // none is required
					}
					err := openapi3filter.ValidateParameter(r.Context(), input, parameter)
					switch {
					case err == nil:
					case parameter.Name == "page":
						wrongPage = true // a page that can't be is one that isn't there
					default:
						fields[parameter.Name] = []string{parameterText(parameter, input.QueryParams.Get(parameter.Name), err)}
					}
				}
			}
			if sent, ok := r.Body.(*body); ok {
				validateBody(op.requestBody.Content[sent.media].Schema.Value, sent.value, fields)
			}
			switch {
			case len(fields) > 0:
				return &handlers.Problem{Status: http.StatusBadRequest, Fields: fields}
			case wrongPage:
				return &handlers.Problem{Status: http.StatusNotFound, Detail: handlers.TextInvalidPage}
			}
			return next(c)
		}
	}
}

// validateBody adds the first thing that is wrong with each field.
func validateBody(schema *openapi3.Schema, value map[string]any, fields map[string][]string) {
	err := schema.VisitJSON(value, openapi3.VisitAsRequest(), openapi3.MultiErrors(), formats)
	for _, e := range schemaErrors(err) {
		field := "non_field_errors"
		if pointer := e.JSONPointer(); len(pointer) > 0 {
			field = pointer[0]
		}
		if fields[field] == nil {
			fields[field] = []string{fieldText(e, value[field])}
		}
	}
}

// schemaErrors takes the validator's errors apart.
func schemaErrors(err error) []*openapi3.SchemaError {
	var several openapi3.MultiError
	var one *openapi3.SchemaError
	switch {
	case errors.As(err, &several):
		var list []*openapi3.SchemaError
		for _, e := range several {
			list = append(list, schemaErrors(e)...)
		}
		return list
	case errors.As(err, &one):
		return []*openapi3.SchemaError{one}
	}
	return nil
}

const textWrongTime = "Datetime has wrong format. Use RFC 3339 with a time zone, such as 2027-01-31T00:00:00Z."

// fieldText says what is wrong with a field of a body, by the schema keyword that its value
// fails.
func fieldText(e *openapi3.SchemaError, value any) string {
	switch e.SchemaField {
	case "required":
		return "This field is required."
	case "nullable":
		return "This field may not be null."
	case "minLength":
		return "This field may not be blank."
	case "maxLength":
		return fmt.Sprintf("Ensure this field has no more than %d characters.", *e.Schema.MaxLength)
	case "pattern", "enum":
		return message(e.Schema)
	}
	switch { // type or format
	case e.Schema.Format == "uuid":
		return "Must be a valid UUID."
	case e.Schema.Format == "date-time":
		return textWrongTime
	case e.Schema.Format == "uri" && e.SchemaField == "format":
		return message(e.Schema) // a pattern lets a little more pass than a URL may hold
	case e.Schema.Format == "uri":
		return "Incorrect type. Expected URL string, received " + typeName(value) + "."
	}
	return "Not a valid string."
}

// parameterText says what is wrong with a query parameter.
func parameterText(parameter *openapi3.Parameter, sent string, err error) string {
	schema := parameter.Schema.Value
	for _, e := range schemaErrors(err) {
		switch e.SchemaField {
		case "pattern":
			return message(e.Schema)
		case "enum":
			return fmt.Sprintf("Select a valid choice. %v is not one of the available choices.", e.Value)
		case "minimum":
			return fmt.Sprintf("Ensure this value is greater than or equal to %v.", *e.Schema.Min)
		case "maximum":
			return fmt.Sprintf("Ensure this value is less than or equal to %.0f.", *e.Schema.Max)
		}
	}
	switch {
	case errors.Is(err, strconv.ErrRange) && strings.HasPrefix(sent, "-"):
		return fmt.Sprintf("Ensure this value is greater than or equal to %v.", *schema.Min)
	case errors.Is(err, strconv.ErrRange):
		return fmt.Sprintf("Ensure this value is less than or equal to %.0f.", *schema.Max)
	case schema.Format == "uuid":
		return "Enter a valid UUID."
	case schema.Type.Is(openapi3.TypeInteger):
		return "A valid integer is required."
	case schema.Type.Is(openapi3.TypeArray):
		return "Select a valid choice.  is not one of the available choices." // an empty value
	}
	return "Enter a valid value."
}

// message is the text that a schema has for values which its pattern or enum refuses.
func message(schema *openapi3.Schema) string {
	text, _ := schema.Extensions["x-error-message"].(string)
	return strings.TrimSpace(text)
}
