package server

import (
	"net/http"

	"github.com/labstack/echo/v4"
)

// frontEndAnswers are what the pages of Waldur's own front end ask for everywhere, of things that are not served:
// there are none of them. The front end shows no page where one of these is missing.
var frontEndAnswers = map[string]string{
	"/api/admin-announcements/":           "[]",
	"/api/customer-credits/":              "[]",
	"/api/identity-providers/":            "[]",
	"/api/marketplace-categories/":        "[]",
	"/api/marketplace-category-groups/":   "[]",
	"/api/marketplace-checklists/":        "[]",
	"/api/marketplace-global-categories/": "{}",
	"/api/marketplace-orders/":            "[]",
	"/health-check/":                      `{"opencalls":"working"}`,
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
