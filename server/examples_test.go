package server_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/opencalls/opencalls/store/storetest"
)

// exampleID is what everything in the examples of openapi.yaml is called.
const exampleID = "a1b2c3d4-e5f6-7890-abcd-ef1234567890"

// Each example of a body, in each of its media types, does what it is an example of, with the world's objects
// in place of its own.
func TestExamplesAreAccepted(t *testing.T) {
	storetest.Each(t, func(t *testing.T, engine string) {
		stage := newStage(t, engine)
		stage.clock.Set(time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)) // before the role of the examples ends
		for _, op := range operations {
			if op.RequestBody == nil {
				continue
			}
			for media, mediaType := range op.RequestBody.Value.Content {
				for name, example := range mediaType.Examples {
					t.Run(op.OperationID+"/"+media+"/"+name, func(t *testing.T) {
						r := stage.request(op.example())
						var own map[string]any
						if err := json.Unmarshal([]byte(r.Body.Content), &own); err != nil {
							t.Fatal(err)
						}
						fields := maps.Clone(example.Value.Value.(map[string]any))
						for field, value := range fields {
							if strings.Contains(fmt.Sprint(value), exampleID) || op.OperationID == "api_auth_password" {
								fields[field] = own[field]
							}
						}
						r.Body = encodeBody(t, media, fields)
						if got := stage.send(t, r); got.Status >= 300 {
							t.Errorf("%d %s", got.Status, got.Body)
						}
						stage.log.take()
						stage.restore(t)
					})
				}
			}
		}
	})
}

// encodeBody makes of a value the body of a media type.
func encodeBody(t interface{ Fatal(...any) }, media string, value any) body {
	if media == "application/json" {
		content, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		return jsonBody(string(content))
	}
	form, list := url.Values{}, []part{}
	for name, field := range value.(map[string]any) {
		form.Set(name, fmt.Sprint(field))
		list = append(list, text(name, fmt.Sprint(field)))
	}
	if media == "application/x-www-form-urlencoded" {
		return formBody(form.Encode())
	}
	return parts(list...)
}
