package server_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"

	"github.com/opencalls/opencalls"
)

// spec is openapi.yaml itself, not what gen/ embeds of it.
var spec = func() *openapi3.T {
	doc, err := openapi3.NewLoader().LoadFromData(opencalls.OpenAPI)
	if err != nil {
		panic(err)
	}
	return doc
}()

// contract is a transport that holds each answer against openapi.yaml.
type contract struct{ next http.RoundTripper }

// answerFormats are narrower than what the server reads: ids have dashes, times end in Z.
var answerFormats = openapi3.WithStringFormatValidators(map[string]openapi3.StringFormatValidator{
	"uuid":      openapi3.NewRegexpFormatValidator(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`),
	"date-time": openapi3.NewRegexpFormatValidator(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z$`),
	"uri": openapi3.NewCallbackValidator(func(text string) error {
		u, err := url.Parse(text)
		if err == nil && (u.Scheme == "" || u.Host == "") {
			err = errors.New("not absolute")
		}
		return err
	}),
})

func (c contract) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := c.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	content, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	_ = response.Body.Close()
	response.Body = io.NopCloser(bytes.NewReader(content))
	if err := checkAnswer(r, response, content); err != nil {
		return nil, fmt.Errorf("%w\nstatus %d: %s", err, response.StatusCode, content)
	}
	return response, nil
}

// checkAnswer says how an answer breaks the contract; nil if it does not.
func checkAnswer(r *http.Request, response *http.Response, content []byte) error {
	if response.Header.Get("X-Request-ID") == "" {
		return errors.New("no X-Request-ID")
	}
	if r.Method == http.MethodHead && len(content) > 0 {
		return errors.New("a body in an answer to HEAD")
	}
	op, found := operationAt(r.Method, r.URL.EscapedPath())
	if !found { // a path, or a method of a path, that openapi.yaml does not have
		return checkPlainAnswer(r, response)
	}
	definition := op.Responses.Status(response.StatusCode)
	switch {
	case definition == nil:
		return fmt.Errorf("%s has no status %d", op.OperationID, response.StatusCode)
	case len(definition.Value.Content) == 0 && len(content) > 0:
		return fmt.Errorf("%s: a body where there should be none: %s", op.OperationID, content)
	case r.Method == http.MethodHead && response.Header.Get("Content-Type") != "application/json":
		return fmt.Errorf("%s: not the Content-Type of GET", op.OperationID)
	case r.Method != http.MethodHead && len(definition.Value.Content) == 0 && response.Header.Get("Content-Type") != "":
		return fmt.Errorf("%s: a Content-Type without a body", op.OperationID)
	}
	// The library checks nothing at all in an answer to HEAD.
	request := r.Clone(context.Background())
	request.Method = http.MethodGet
	input := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: request, Route: &routers.Route{Spec: spec, Operation: op.Operation}},
		Status:                 response.StatusCode,
		Header:                 response.Header,
		Options: &openapi3filter.Options{
			IncludeResponseStatus: true, MultiError: true,
			SchemaValidationOptions: []openapi3.SchemaValidationOption{answerFormats, openapi3.VisitAsResponse()},
		},
	}
	input.SetBodyBytes(content)
	err := openapi3filter.ValidateResponse(context.Background(), input)
	if err == nil && hasBody(response, content) {
		err = secondValidator.check(op.path, r.Method, response.StatusCode, content)
	}
	return err
}

// checkPlainAnswer is checkAnswer for what is not in openapi.yaml.
func checkPlainAnswer(r *http.Request, response *http.Response) error {
	statuses := []int{http.StatusMovedPermanently, http.StatusPermanentRedirect, http.StatusNotFound, http.StatusMethodNotAllowed}
	switch {
	case r.Method == http.MethodOptions:
		statuses = []int{http.StatusNoContent, http.StatusNotFound, http.StatusPermanentRedirect}
	case plainRoutes.MatchString(r.URL.Path):
		statuses = append(statuses, http.StatusOK, http.StatusNotModified, http.StatusServiceUnavailable, http.StatusInternalServerError)
	}
	if !slices.Contains(statuses, response.StatusCode) {
		return fmt.Errorf("%s %s: status %d outside of openapi.yaml", r.Method, r.URL.Path, response.StatusCode)
	}
	return nil
}

var plainRoutes = regexp.MustCompile(`^/(healthz|readyz|api/media/[^/]+/)$`)

// operation is one operation of openapi.yaml.
type operation struct {
	*openapi3.Operation
	method, path string
}

// pathID is what stands for an object's id in the paths of openapi.yaml.
var pathID = regexp.MustCompile(`\{[a-z_]*uuid\}`)

// target is the operation's path for an object.
func (o operation) target(uuid string) string { return pathID.ReplaceAllLiteralString(o.path, uuid) }

// operations are those of openapi.yaml, in the order of their ids.
var operations = func() []operation {
	var list []operation
	for path, item := range spec.Paths.Map() {
		for method, definition := range item.Operations() {
			list = append(list, operation{definition, method, path})
		}
	}
	slices.SortFunc(list, func(a, b operation) int { return strings.Compare(a.OperationID, b.OperationID) })
	return list
}()

// operationAt finds the operation that a request is for.
func operationAt(method, escapedPath string) (operation, bool) {
	exact := spec.Paths.Value(escapedPath) != nil // such as /api/users/me/, which is no user's
	for _, op := range operations {
		if exact && op.path != escapedPath {
			continue
		}
		pattern := "^" + pathID.ReplaceAllLiteralString(op.path, "[^/]*") + "$"
		if op.method == method && regexp.MustCompile(pattern).MatchString(escapedPath) {
			return op, true
		}
	}
	return operation{}, false
}

// What holds answers against the contract has to refuse those that break it.
func TestContractRefuses(t *testing.T) {
	const members = base + "00000000-0000-4000-8000-000000000001/list_users/"
	for _, test := range []struct {
		name, method, path string
		status             int
		change, body       string
		broken             bool
	}{
		{"a right list", "GET", members, 200, "", "[]", false},
		{"no request id", "GET", members, 200, "X-Request-Id: ", "[]", true},
		{"a wrong type", "GET", members, 200, "", `[{"uuid":1}]`, true},
		{"a wrong header", "GET", members, 200, "X-Result-Count: many", "[]", true},
		{"a missing header of HEAD", "HEAD", members, 200, "X-Result-Count: ", "", true},
		{"a body of HEAD", "HEAD", members, 200, "", "[]", true},
		{"a status that is not documented", "GET", members, 409, "", `{"detail":"x"}`, true},
		{"a body where there is none", "DELETE", strings.TrimSuffix(members, "list_users/"), 204, "", `{}`, true},
		{"an id without dashes", "GET", members, 200, "", `[{"uuid":"00000000000040008000000000000001"}]`, true},
		{"a time of another zone", "GET", members, 200, "", `[{"created":"2027-01-31T00:00:00+02:00"}]`, true},
		{"a relative URL", "GET", members, 200, "", `[{"user_image":"/api/media/1/"}]`, true},
		{"an unknown path that is found", "GET", "/api/unknown/", 200, "", `{}`, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			header := http.Header{"X-Request-Id": {"1"}, "Content-Type": {"application/json"}, "X-Result-Count": {"1"}, "Link": {"x"}}
			if name, value, found := strings.Cut(test.change, ": "); found {
				header.Set(name, value)
			}
			r := httptest.NewRequest(test.method, "http://example.com"+test.path, nil)
			err := checkAnswer(r, &http.Response{StatusCode: test.status, Header: header}, []byte(test.body))
			if broken := err != nil; broken != test.broken {
				t.Errorf("broken is %v (%v), want %v", broken, err, test.broken)
			}
		})
	}
}
