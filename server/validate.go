package server

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

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
	queryParams []*openapi3.Parameter
	requestBody *openapi3.RequestBody
	notFound    string // the text of a 404; "" is the general one
	anyField    bool   // names in field that are not known are left out
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
				if parameter.Value.In == openapi3.ParameterInQuery {
					op.queryParams = append(op.queryParams, parameter.Value)
				}
			}
			if definition.RequestBody != nil {
				op.requestBody = definition.RequestBody.Value
			}
			if kind, named := item.Extensions["x-not-found"].(string); named {
				op.notFound = "No " + kind + " matches the given query."
			}
			list = append(list, op)
		}
	}
	return list
}

// checkMethod answers 405 where the router took a path of its own, such as /api/users/me/, for one with an id,
// since that has the method.
func (op operation) checkMethod(c echo.Context) error {
	item := op.route.Spec.Paths.Value(c.Request().URL.Path)
	if item == nil || item == op.route.PathItem {
		return nil
	}
	methods := append(slices.Collect(maps.Keys(item.Operations())), http.MethodOptions)
	c.Response().Header().Set(echo.HeaderAllow, strings.Join(methods, ", "))
	return echo.ErrMethodNotAllowed
}

// formats are those of openapi.yaml that the validator does not check by itself, or reads otherwise than
// we do.
var formats = openapi3.WithStringFormatValidators(map[string]openapi3.StringFormatValidator{
	"uuid": openapi3.NewCallbackValidator(func(text string) error {
		_, err := handlers.ParseUUID(text)
		return err
	}),
	"uri": openapi3.NewCallbackValidator(func(text string) error {
		u, err := url.Parse(text)
		if err == nil && (u.Scheme == "" || u.Host == "") {
			err = errors.New("not absolute")
		}
		return err
	}),
	"email": openapi3.NewCallbackValidator(store.CheckEmail),
	"date-time": openapi3.NewCallbackValidator(func(text string) error {
		_, err := handlers.ParseTime(text)
		return err
	}),
})

// validate refuses what openapi.yaml alone shows to be wrong: every field and every parameter at once.
func (op operation) validate(c echo.Context) error {
	r := c.Request()
	fields := map[string][]string{}
	if r.URL.RawQuery != "" {
		op.validateQuery(r, fields)
	}
	_, wrongPage := fields["page"]
	delete(fields, "page") // a page that can't be is one that isn't there
	if sent, ok := r.Body.(*body); ok {
		sent.validate(fields)
	}
	switch {
	case len(fields) > 0:
		return &handlers.Problem{Status: http.StatusBadRequest, Fields: fields}
	case wrongPage:
		return store.ErrInvalidPage
	}
	request := handlers.RequestFrom(r.Context())
	request.Valid = true
	request.Shown = op.shownQuery(request.Query)
	return nil
}

// shownQuery is what the log shows of a valid query. Anything may be pasted into a text to search for, also a
// token, so that only its name is shown.
func (op operation) shownQuery(sent url.Values) string {
	query := url.Values{}
	for _, parameter := range op.queryParams {
		schema := parameter.Schema.Value
		if schema.Type.Is(openapi3.TypeArray) {
			schema = schema.Items.Value
		}
		if values := sent[parameter.Name]; schema.Type.Is(openapi3.TypeString) && schema.Enum == nil && schema.Format != "uuid" {
			for range values {
				query.Add(parameter.Name, "...")
			}
		} else {
			query[parameter.Name] = values
		}
	}
	return query.Encode()
}

// validateQuery adds what is wrong with each parameter.
func (op operation) validateQuery(r *http.Request, fields map[string][]string) {
	query, options := r.URL.Query(), []openapi3.SchemaValidationOption{formats}
	input := &openapi3filter.RequestValidationInput{
		Request: r, QueryParams: query, Route: op.route,
		Options: &openapi3filter.Options{SkipSettingDefaults: true, SchemaValidationOptions: options},
	}
	for _, parameter := range op.queryParams {
		name := parameter.Name
		if len(query[name]) > maxValues {
			fields[name] = []string{"Too many values."}
		} else if query.Has(name) { // none is required
			if err := openapi3filter.ValidateParameter(r.Context(), input, parameter); err != nil {
				fields[name] = []string{parameterText(parameter, query.Get(name), err)}
			}
		}
	}
}

// validate adds the first thing that is wrong with each field.
func (b *body) validate(fields map[string][]string) {
	err := b.schema.VisitJSON(b.value, openapi3.VisitAsRequest(), openapi3.MultiErrors(), formats)
	for _, e := range schemaErrors(err) {
		field := "non_field_errors"
		if pointer := e.JSONPointer(); len(pointer) > 0 {
			field = pointer[0]
		}
		if fields[field] == nil {
			fields[field] = []string{fieldText(e, b.value[field])}
		}
	}
	for field := range b.value {
		if fields[field] != nil {
			continue
		}
		if half := loneSurrogate(b.raw[field]); half != "" {
			fields[field] = []string{"Surrogate characters are not allowed: U+" + half + "."}
		}
	}
}

// schemaErrors takes the validator's errors apart.
func schemaErrors(err error) (list []*openapi3.SchemaError) {
	var several openapi3.MultiError
	var one *openapi3.SchemaError
	if errors.As(err, &several) {
		for _, e := range several {
			list = append(list, schemaErrors(e)...)
		}
	} else if errors.As(err, &one) {
		list = append(list, one)
	}
	return list
}

// fieldText says what is wrong with a field of a body, by the schema keyword that its value
// fails.
func fieldText(e *openapi3.SchemaError, value any) string {
	if e.Schema.MaxLength != nil && *e.Schema.MaxLength == 0 && strings.HasSuffix(e.SchemaField, "Length") {
		return message(e.Schema) // a field that takes no text
	}
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
	return formatText(e, value)
}

// formatText says which type or format a field of a body should have.
func formatText(e *openapi3.SchemaError, value any) string {
	switch {
	case e.Schema.Format == "uuid":
		return "Must be a valid UUID."
	case e.Schema.Format == "email" && e.SchemaField == "format":
		return "Enter a valid email address."
	case e.Schema.Type.Is(openapi3.TypeBoolean):
		return "Must be a valid boolean."
	case e.Schema.Format == "date-time":
		return "Datetime has wrong format. Use RFC 3339, such as 2027-01-31T00:00:00Z."
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
	var fails string // the keyword that the value fails
	for _, e := range schemaErrors(err) {
		fails = e.SchemaField
		if fails == "enum" {
			sent = fmt.Sprint(e.Value)
		}
	}
	outOfRange := errors.Is(err, strconv.ErrRange)
	switch {
	case parameter.Name == "page":
		return "Invalid page." // a 404 says so
	case fails == "pattern":
		return message(schema)
	case fails == "minimum", outOfRange && strings.HasPrefix(sent, "-"):
		return fmt.Sprintf("Ensure this value is greater than or equal to %v.", *schema.Min)
	case fails == "maximum", outOfRange:
		return fmt.Sprintf("Ensure this value is less than or equal to %.0f.", *schema.Max)
	case schema.Format == "uuid":
		return "Enter a valid UUID."
	case schema.Type.Is(openapi3.TypeInteger):
		return "A valid integer is required."
	}
	return fmt.Sprintf("Select a valid choice. %s is not one of the available choices.", sent)
}

// message is the text that a schema has for values which its pattern or enum refuses.
func message(schema *openapi3.Schema) string {
	text, _ := schema.Extensions["x-error-message"].(string)
	return strings.TrimSpace(text)
}
