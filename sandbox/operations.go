package sandbox

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v4"
	"go.yaml.in/yaml/v3"

	"github.com/opencalls/opencalls/fixture"
	"github.com/opencalls/opencalls/gen"
	api "github.com/opencalls/opencalls/gen/sandbox"
	"github.com/opencalls/opencalls/handlers"
	"github.com/opencalls/opencalls/server"
	"github.com/opencalls/opencalls/store"
)

// maxBody is how many bytes a body may have.
const maxBody = 64 << 20

// change does what a JSON body asks for, whatever its Content-Type. What is wrong with the wish is a 400.
func change[T any](c echo.Context, apply func(T) error) error {
	content, err := server.ReadBody(c, maxBody)
	if err != nil {
		return err
	}
	var wish T
	decoder := json.NewDecoder(bytes.NewReader(content))
	decoder.DisallowUnknownFields()
	if err = decoder.Decode(&wish); err == nil {
		err = apply(wish)
	}
	var wrong *json.UnmarshalTypeError
	switch {
	case errors.As(err, &wrong):
		return handlers.Refuse(http.StatusBadRequest, cmp.Or(wrong.Field, "body")+": wrong type: "+wrong.Value)
	case err != nil:
		return handlers.Refuse(http.StatusBadRequest, err.Error())
	}
	return nil
}

// done answers that something is done, unless an error came of it.
func done(c echo.Context, err error) error {
	if err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}

// operations are those of sandbox.yaml.
type operations struct{ *Sandbox }

func (o operations) SandboxReset(c echo.Context) error {
	return done(c, o.Reset(c.Request().Context()))
}

func (o operations) SandboxSnapshotsList(c echo.Context) error {
	o.state.RLock()
	defer o.state.RUnlock()
	list := []api.SandboxSnapshot{}
	for _, name := range slices.Sorted(maps.Keys(o.snapshots))[1:] { // start comes first
		list = append(list, api.SandboxSnapshot{Name: name})
	}
	return c.JSON(http.StatusOK, list)
}

func (o operations) SandboxSnapshotsRetrieve(c echo.Context, name string) error {
	o.state.RLock()
	defer o.state.RUnlock()
	if _, known := o.snapshots[name]; !known {
		return store.ErrNotFound
	}
	return c.JSON(http.StatusOK, api.SandboxSnapshot{Name: name})
}

func (o operations) SandboxSnapshotsUpdate(c echo.Context, name string) error {
	return done(c, o.save(c.Request().Context(), name))
}

func (o operations) SandboxSnapshotsDestroy(c echo.Context, name string) error {
	o.state.Lock()
	defer o.state.Unlock()
	if _, known := o.snapshots[name]; !known {
		return store.ErrNotFound
	}
	delete(o.snapshots, name)
	return done(c, nil)
}

func (o operations) SandboxSnapshotsRestore(c echo.Context, name string) error {
	return done(c, o.restore(c.Request().Context(), name))
}

func (o operations) SandboxImport(c echo.Context) error {
	r := c.Request()
	content, err := server.ReadBody(c, maxBody)
	if err != nil {
		return err
	}
	file := &fixture.File{Name: "body", Content: bytes.NewReader(content)}
	if strings.HasPrefix(r.Header.Get(echo.HeaderContentType), echo.MIMEApplicationJSON) {
		file.Name = "body.json"
	}
	o.state.RLock()
	defer o.state.RUnlock()
	var counts fixture.Counts
	actor := store.Actor{RequestID: handlers.RequestFrom(r.Context()).ID}
	err = o.cfg.Store.Write(r.Context(), actor, func(tx *store.Tx) (err error) {
		counts, err = fixture.Import(r.Context(), tx, []*fixture.File{file}, o.cfg.Images, nil)
		return err
	})
	switch {
	case errors.As(err, new(fixture.Error)):
		texts := strings.Split(err.Error(), "\n")
		return &handlers.Problem{Status: http.StatusBadRequest, Fields: map[string][]string{"non_field_errors": texts}}
	case err != nil:
		return err
	}
	return c.JSON(http.StatusOK, counts)
}

// showClock answers with the clock, unless an error came of its change.
func (o operations) showClock(c echo.Context, err error) error {
	if err != nil {
		return err
	}
	at := o.clock.get()
	return c.JSON(http.StatusOK, api.SandboxClock{Now: handlers.FormatTime(at.now), Speed: at.speed})
}

func (o operations) SandboxClockRetrieve(c echo.Context) error { return o.showClock(c, nil) }

func (o operations) SandboxClockUpdate(c echo.Context) error {
	return o.showClock(c, change(c, func(wish api.SandboxClockRequest) error {
		now, err := o.clock.Now(), error(nil)
		if wish.Now != nil {
			now, err = handlers.ParseTime(*wish.Now)
		}
		if err != nil {
			return fmt.Errorf("now: %w", err)
		}
		return o.clock.Set(now, wish.Speed)
	}))
}

func (o operations) SandboxClockAdvance(c echo.Context) error {
	return o.showClock(c, change(c, func(wish api.SandboxClockAdvanceRequest) error {
		by, err := time.ParseDuration(wish.By)
		if err != nil {
			return fmt.Errorf("by: %w", err)
		}
		return o.clock.Advance(by)
	}))
}

func (o operations) SandboxClockDestroy(c echo.Context) error {
	o.clock.put(setting{})
	return done(c, nil)
}

func (o operations) SandboxFaultsUpdate(c echo.Context) error {
	return done(c, change(c, func(wish []api.SandboxFault) error { return o.addFaults(true, wish...) }))
}

func (o operations) SandboxRequestsList(c echo.Context) error {
	return c.JSON(http.StatusOK, o.Requests())
}

func (o operations) SandboxRequestsDestroy(c echo.Context) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.requests = []Request{}
	return done(c, nil)
}

// mergedSchema is openapi.yaml with what sandbox.yaml adds. What both have is the same in both.
var mergedSchema = sync.OnceValues(func() (asYAML, asJSON []byte) {
	merged, _ := gen.GetSpec() // a test reads both
	added, _ := api.GetSpec()
	merged.Tags = append(merged.Tags, added.Tags...)
	for path, item := range added.Paths.Map() {
		merged.Paths.Set(path, item)
	}
	maps.Copy(merged.Components.Parameters, added.Components.Parameters)
	maps.Copy(merged.Components.Responses, added.Components.Responses)
	maps.Copy(merged.Components.Schemas, added.Components.Schemas)
	asYAML, _ = yaml.Marshal(merged)
	asJSON, _ = json.Marshal(merged)
	return asYAML, asJSON
})
