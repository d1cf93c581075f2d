package sandbox

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/labstack/echo/v4"

	api "github.com/opencalls/opencalls/gen/sandbox"
)

// effect is what happens to a request instead of what it asks for, or beside it.
type effect struct {
	code       int           // the error that is answered; 0 for none
	delay      time.Duration // before anything else happens
	disconnect bool          // the connection ends after the headers of the answer
}

// add adds what a preference or a fault names. Its error says why that can't be.
func (e *effect) add(name, value string, op *openapi3.Operation) (err error) {
	switch {
	case name == "code":
		e.code, err = strconv.Atoi(value)
		if err != nil || e.code < 400 || op.Responses.Status(e.code) == nil {
			e.code, err = 0, fmt.Errorf("code: %.100q is no error status of %s", value, op.OperationID)
		}
	case name == "delay":
		e.delay, err = time.ParseDuration(value)
		if err != nil || e.delay < 0 || e.delay > time.Minute {
			e.delay, err = 0, fmt.Errorf("delay: want a duration of at most 60s such as 200ms, not %.100q", value)
		}
	case name == "disconnect" && value == "":
		e.disconnect = true
	default:
		err = fmt.Errorf("unknown: %.100q", name)
	}
	return err
}

// preference is one of several that commas separate (RFC 7240). A quoted text may hold commas.
var preference = regexp.MustCompile(`(?:[^,"]|"(?:[^"\\]|\\.)*")+`)

// prefer returns what a Prefer header asks for, which preferences count, and what is wrong with the others.
func prefer(header string, op *openapi3.Operation) (wanted effect, applied []string, ignored error) {
	seen := map[string]bool{"": true} // what is between two commas may be nothing
	for _, text := range preference.FindAllString(header, -1) {
		text, _, _ = strings.Cut(text, ";") // parameters, of which we have none
		name, value, _ := strings.Cut(text, "=")
		name, value = strings.ToLower(strings.TrimSpace(name)), strings.TrimSpace(value)
		if len(value) > 1 && value[0] == '"' && value[len(value)-1] == '"' {
			value = value[1 : len(value)-1]
		}
		if seen[name] {
			continue // the first counts
		}
		seen[name] = true
		err := wanted.add(name, value, op)
		if err == nil {
			applied = append(applied, strings.TrimSuffix(name+"="+value, "="))
		}
		ignored = errors.Join(ignored, err)
	}
	return wanted, applied, ignored
}

// fault is an effect on some of an operation's requests.
type fault struct {
	effect
	operation    string
	after, times int // how many requests pass before, and how many it is left for
}

// Fail has the next requests of an operation answered with an error that openapi.yaml has for it: as many
// as times says, or all if it is 0. Faults that were set before come first.
func (s *Sandbox) Fail(operation string, code, times int) error {
	return s.addFaults(false, api.SandboxFault{Operation: operation, Code: code, Times: times})
}

// addFaults adds faults to those that there are, or replaces them. Where one is wrong it changes nothing.
func (s *Sandbox) addFaults(replace bool, list ...api.SandboxFault) error {
	var faults []*fault
	for i, wanted := range list {
		f := &fault{operation: wanted.Operation, after: wanted.After, times: cmp.Or(wanted.Times, math.MaxInt)}
		f.disconnect = wanted.Disconnect
		op, err := s.operations[wanted.Operation], error(nil)
		if op == nil {
			return fmt.Errorf("%d.operation: there is no operation %.100q", i, wanted.Operation)
		}
		if wanted.Times < 0 || wanted.After < 0 {
			return fmt.Errorf("%d: want times and after of at least 0", i)
		}
		if wanted.Code != 0 {
			err = f.add("code", strconv.Itoa(wanted.Code), op)
		}
		if wanted.Delay != "" {
			err = cmp.Or(err, f.add("delay", wanted.Delay, op))
		}
		if err == nil && f.effect == (effect{}) {
			err = errors.New("code: want a code, a delay or disconnect")
		}
		if err != nil {
			return fmt.Errorf("%d.%w", i, err)
		}
		faults = append(faults, f)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !replace {
		faults = append(s.faults, faults...)
	}
	s.faults = faults
	return nil
}

// nextFault returns what the faults have for a request of the operation, and counts it.
func (s *Sandbox) nextFault(operation string) effect {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.faults {
		switch {
		case f.operation != operation || f.times == 0:
		case f.after > 0:
			f.after--
		default:
			f.times--
			return f.effect
		}
	}
	return effect{}
}

// writeDocumented answers with the first example of an error, and the headers that openapi.yaml has for it.
func writeDocumented(c echo.Context, response *openapi3.Response, code int) error {
	headers := c.Response().Header()
	for name, header := range response.Headers {
		if headers.Get(name) == "" { // the request has an id already
			headers.Set(name, fmt.Sprint(header.Value.Example))
		}
	}
	content := response.Content[echo.MIMEApplicationJSON]
	if content == nil {
		return c.NoContent(code) // of HEAD
	}
	first := slices.Min(slices.Collect(maps.Keys(content.Examples)))
	return c.JSON(code, content.Examples[first].Value.Value)
}
