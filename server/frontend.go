package server

import (
	"net/http"
	"slices"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/labstack/echo/v4"
)

// frontEndAnswers are what the pages of Waldur's own front end ask for everywhere, of things that are not served:
// there are none of them. The front end shows no page where one of these is missing.
var frontEndAnswers = map[string]string{
	"/api/admin-announcements/":                 "[]",
	"/api/customer-credits/":                    "[]",
	"/api/identity-providers/":                  "[]",
	"/api/marketplace-categories/":              "[]",
	"/api/marketplace-category-groups/":         "[]",
	"/api/marketplace-checklists/":              "[]",
	"/api/marketplace-global-categories/":       "{}",
	"/api/marketplace-orders/":                  "[]",
	"/api/organization-groups/":                 "[]",
	"/api/marketplace-project-update-requests/": "[]",
	"/health-check/":                            `{"opencalls":"working"}`,
}

// routeFrontEnd routes the constant answers. None of them needs a token.
func routeFrontEnd(e *echo.Echo) {
	for path, answer := range frontEndAnswers {
		e.Match([]string{http.MethodGet, http.MethodHead}, path, func(c echo.Context) error {
			if answer == "[]" {
				c.Response().Header().Set("X-Result-Count", "0")
			}
			return c.Blob(http.StatusOK, echo.MIMEApplicationJSON, []byte(answer+"\n"))
		})
	}
}

// knownFields leaves out the names of fields that the parameter doesn't know. The front end asks for fields of
// Waldur's that are not served, and its pages need an answer all the same.
func knownFields(parameter *openapi3.Parameter, names []string) []string {
	known := parameter.Schema.Value.Items.Value.Enum
	return slices.DeleteFunc(names, func(name string) bool { return !slices.Contains(known, any(name)) })
}
