package sandbox

import (
	"cmp"
	"encoding/json"
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
	"github.com/opencalls/opencalls/handlers"
)

// effect is what happens to a request instead of what it asks for, or beside it.
type effect struct {
	code       int           // the error that is answered; 0 for none
	delay      time.Duration // before anything else happens
	disconnect bool          // the connection ends after the headers of the answer
}

// maxDelay is the longest delay.
const maxDelay = time.Minute

// setCode refuses a status that is no error, or that the operation doesn't document.
func (e *effect) setCode(text string, op *openapi3.Operation) error {
	code, err := strconv.Atoi(text)
	if err != nil || code < 400 || op.Responses.Status(code) == nil {
		return fmt.Errorf("code: %.100s is no error status of %s", text, op.OperationID)
	}
	e.code = code
	return nil
}

func (e *effect) setDelay(text string) error {
	delay, err := time.ParseDuration(text)
	if err != nil || delay < 0 || delay > maxDelay {
		return fmt.Errorf("delay: want a duration of at most 60s such as 200ms, not %.100q", text)
	}
	e.delay = delay
	return nil
}

// preference is one of several that commas separate (RFC 7240). A quoted text may hold commas.
var preference = regexp.MustCompile(`(?:[^,"]|"(?:[^"\\]|\\.)*")+`)

// prefer returns the effect that a Prefer header asks for, the preferences that count, and what is wrong with others.
func prefer(header string, op *openapi3.Operation) (wanted effect, applied []string, ignored error) {
	seen := map[string]bool{}
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
		var err error
		switch {
		case name == "code":
			err = wanted.setCode(value, op)
		case name == "delay":
			err = wanted.setDelay(value)
		case name == "disconnect" && value == "":
			wanted.disconnect = true
		default:
			err = fmt.Errorf("unknown: %.100q", name)
		}
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
	f, err := s.newFault(api.SandboxFault{Operation: operation, Code: code, Times: times})
	if err == nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.faults = append(s.faults, f)
	}
	return err
}

// setFaults replaces the faults, unless one of them is wrong.
func (s *Sandbox) setFaults(list []api.SandboxFault) error {
	faults := make([]*fault, len(list))
	for i, wanted := range list {
		var err error
		if faults[i], err = s.newFault(wanted); err != nil {
			return fmt.Errorf("%d.%w", i, err)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = faults
	return nil
}

func (s *Sandbox) newFault(wanted api.SandboxFault) (*fault, error) {
	f := &fault{operation: wanted.Operation, after: wanted.After, times: cmp.Or(wanted.Times, math.MaxInt)}
	f.disconnect = wanted.Disconnect
	op := s.operations[wanted.Operation]
	if op == nil {
		return nil, fmt.Errorf("operation: there is no operation %.100q", wanted.Operation)
	}
	var err error
	if wanted.Code != 0 {
		err = f.setCode(strconv.Itoa(wanted.Code), op)
	}
	if wanted.Delay != "" && err == nil {
		err = f.setDelay(wanted.Delay)
	}
	if err == nil && f.effect == (effect{}) {
		err = errors.New("code: want a code, a delay or disconnect")
	}
	return f, err
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

// documented is an error as openapi.yaml has it, with the text of its first example.
func documented(op *openapi3.Operation, code int) error {
	response := op.Responses.Status(code).Value
	problem := &handlers.Problem{Status: code}
	if response.Headers[echo.HeaderRetryAfter] != nil {
		problem.RetryAfter = time.Second
	}
	content := response.Content[echo.MIMEApplicationJSON]
	if content == nil {
		return problem // of HEAD
	}
	first := slices.Min(slices.Collect(maps.Keys(content.Examples)))
	text, _ := json.Marshal(content.Examples[first].Value.Value) // it was JSON
	var body struct{ Detail string }
	_ = json.Unmarshal(text, &body) // has the detail or else only the fields
	problem.Detail = body.Detail
	if body.Detail == "" {
		_ = json.Unmarshal(text, &problem.Fields)
	}
	return problem
}
