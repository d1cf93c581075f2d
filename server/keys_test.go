package server_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/opencalls/opencalls/store/storetest"
)

// Answers hold the properties that openapi.yaml gives them, and no others. What is read is also filled in
// somewhere.
func TestAnswersHoldEveryProperty(t *testing.T) {
	stage := newStage(t, storetest.SQLite, func(s *setup) { s.plain = true })
	for _, op := range operations {
		for _, status := range []string{"200", "201"} {
			response := op.Responses.Value(status)
			if response == nil || response.Value.Content["application/json"] == nil || op.method == http.MethodHead {
				continue
			}
			t.Run(op.OperationID, func(t *testing.T) {
				defer stage.restore(t)
				r := stage.request(op.example())
				if op.method == http.MethodGet {
					r.Target += "?page_size=300"
				}
				got := stage.send(t, r)
				schema := response.Value.Content["application/json"].Schema.Value
				objects := []map[string]any{{}}
				var into any = &objects[0]
				if schema.Items != nil {
					schema, into = schema.Items.Value, &objects
				}
				if err := json.Unmarshal([]byte(got.Body), into); err != nil {
					t.Fatalf("%d %s: %v", got.Status, got.Body, err)
				}
				found := map[string]bool{}
				for _, object := range objects {
					for key, value := range object {
						if value != nil || op.method != http.MethodGet {
							found[key] = true
						}
					}
				}
				if op.OperationID == "users_create" { // which only oneself has
					found["token"], found["token_expires_at"] = true, true
				}
				want := slices.Sorted(maps.Keys(schema.Properties))
				if diff := gocmp.Diff(want, slices.Sorted(maps.Keys(found))); diff != "" {
					t.Errorf("openapi.yaml (-), the answer (+):\n%s\n%s", diff, got.Body)
				}
			})
		}
	}
}
