package handlers

import (
	"cmp"
	"errors"
	"net/http"
	"time"

	"github.com/opencalls/opencalls/store"
)

// Texts that more than one place sends. Those of single fields stand where they are checked.
const (
	textNoObject     = "Invalid hyperlink - Object does not exist."
	textNotAvailable = "Customer is not available."
)

// Problem is a refusal: what a handler returns instead of an answer, and what the client is
// told. It has either a Detail or Fields.
type Problem struct {
	Status int
	Detail string              // one sentence
	Fields map[string][]string // texts per field, parameter or non_field_errors

	RetryAfter time.Duration // of a 429: when to try again
}

// Error returns the detail, for logs and tests.
func (p *Problem) Error() string { return cmp.Or(p.Detail, http.StatusText(p.Status)) }

// Refuse is a refusal that one sentence explains.
func Refuse(status int, detail string) *Problem { return &Problem{Status: status, Detail: detail} }

func forbidden() *Problem {
	return Refuse(http.StatusForbidden, "You do not have permission to perform this action.")
}

// NonField is a 400 that concerns the body as a whole.
func NonField(text string) *Problem {
	return &Problem{Status: http.StatusBadRequest, Fields: map[string][]string{"non_field_errors": {text}}}
}

// fieldErrors collects what only the data shows to be wrong, so that all of it is reported at once.
type fieldErrors map[string][]string

func (f fieldErrors) add(field, text string) { f[field] = append(f[field], text) }

// addMissing adds the text where err says that there is no such object, and returns any
// other error.
func (f fieldErrors) addMissing(field, text string, err error) error {
	if errors.Is(err, store.ErrNotFound) {
		f.add(field, text)
		return nil
	}
	return err
}

// problem returns the 400 for what was collected, nil for nothing.
func (f fieldErrors) problem() error {
	if len(f) == 0 {
		return nil
	}
	return &Problem{Status: http.StatusBadRequest, Fields: f}
}
