// Package world is what the tests of several packages share: one world to put into a database, and one HTTP
// client.
//
//	w := world.New(s)
//	w.Load(t)                      // world.yaml
//	w.Import(t, "customers:\n  - {uuid: {new}, name: New}")
//	w.IDs["new"]
//	w.Replacer().Replace("{tartu}") // the organisation's UUID
package world

import (
	"context"
	_ "embed"
	"encoding/hex"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/opencalls/opencalls/fixture"
	"github.com/opencalls/opencalls/images"
	"github.com/opencalls/opencalls/store"
)

// YAML is the import file of the world, with names in braces.
//
//go:embed world.yaml
var YAML string

// TB is what this package needs of a test: *testing.T and *rapid.T have it.
type TB interface {
	Helper()
	Fatal(args ...any)
}

var _ TB = (*testing.T)(nil)

// World is what tests put into a store.
type World struct {
	Store *store.Store
	// IDs are the UUIDs of the objects by name. They depend only on the order of the names.
	IDs map[string]uuid.UUID
}

// New returns a world without objects but the built-in roles, whose names stand for them.
func New(s *store.Store) *World {
	w := &World{Store: s, IDs: map[string]uuid.UUID{}}
	for i, role := range []string{"CUSTOMER.OWNER", "CUSTOMER.MANAGER", "CUSTOMER.SUPPORT", "CUSTOMER.CALL_ORGANIZER"} {
		w.IDs[role] = uuid.MustParse(fmt.Sprintf("00000000-0000-4000-8000-%012x", i+1))
	}
	return w
}

// Names are the UUIDs of the objects of world.yaml by name.
func Names() map[string]uuid.UUID {
	w := New(nil)
	w.name(YAML)
	return w.IDs
}

// Load imports world.yaml.
func (w *World) Load(t TB) {
	t.Helper()
	w.Import(t, YAML)
}

// Import imports the text of an import file in YAML, in which a name in braces stands for an object's UUID.
func (w *World) Import(t TB, text string) {
	t.Helper()
	w.name(text)
	if err := w.ImportFrom(strings.NewReader(w.Replacer().Replace(text))); err != nil {
		t.Fatal(err)
	}
}

// ImportFrom imports a file in YAML, without names.
func (w *World) ImportFrom(content io.Reader) error {
	return w.Store.Write(context.Background(), store.Actor{}, func(tx *store.Tx) error {
		file := &fixture.File{Name: "world.yaml", Content: content}
		limits := images.Limits{MaxBytes: 1 << 20, MaxPixels: 1 << 20}
		_, err := fixture.Import(context.Background(), tx, []*fixture.File{file}, limits, nil)
		return err
	})
}

// digits are the first digits of the UUIDs of each kind, by which a reader tells the kinds apart.
var digits = map[string]string{
	"customers": "c", "users": "e", "roles": "b", "call_managing_organisations": "0", "user_roles": "f", "calls": "d",
	"rounds": "d", "proposals": "d", "reviews": "d", "requested_offerings": "d",
}

// definition finds the kind of the entries that follow, or the name of an entry.
var definition = regexp.MustCompile(`(?m)^(\w+):|\buuid: \{([^{}\s]+)\}`)

// name gives UUIDs to the names that a text defines.
func (w *World) name(text string) {
	kind := ""
	for _, match := range definition.FindAllStringSubmatch(text, -1) {
		name := match[2]
		if name == "" {
			kind = match[1]
			continue
		}
		if _, known := w.IDs[name]; !known {
			w.IDs[name] = uuid.MustParse(fmt.Sprintf("%s0000000-0000-4000-8000-%012x", digits[kind], len(w.IDs)))
		}
	}
}

// Replacer replaces each name in braces by its UUID: {tartu}, without dashes {tartu:hex}, in capitals
// {tartu:UPPER}. More pairs come after these.
func (w *World) Replacer(more ...string) *strings.Replacer {
	var pairs []string
	for name, id := range w.IDs {
		text := id.String()
		pairs = append(pairs, "{"+name+"}", text, "{"+name+":hex}", hex.EncodeToString(id[:]), "{"+name+":UPPER}", strings.ToUpper(text))
	}
	return strings.NewReplacer(append(pairs, more...)...)
}
