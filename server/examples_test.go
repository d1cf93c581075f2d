package server_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/opencalls/opencalls/store/storetest"
)

// exampleID is what everything in the examples of openapi.yaml is called.
const exampleID = "a1b2c3d4-e5f6-7890-abcd-ef1234567890"

// Each example of a body, in each of its media types, does what it is an example of.
func TestExamplesAreAccepted(t *testing.T) {
	storetest.Each(t, func(t *testing.T, engine string) {
		for _, op := range operations {
			if op.RequestBody == nil {
				continue
			}
			for media, mediaType := range op.RequestBody.Value.Content {
				for name, example := range mediaType.Examples {
					t.Run(op.OperationID+"/"+media+"/"+name, func(t *testing.T) {
						a := exampleWorld(t, engine, op.OperationID)
						got := a.send(t, request{Method: op.method, Target: op.target(exampleID), Token: "token-of-sam", Body: encodeBody(t, media, example.Value.Value)})
						if got.Status >= 300 {
							t.Errorf("%d %s", got.Status, got.Body)
						}
					})
				}
			}
		}
	})
}

// exampleWorld is one in which the examples of an operation make sense.
func exampleWorld(t *testing.T, engine, operation string) *app {
	t.Helper()
	a := start(t, engine)
	a.clock.Set(time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)) // before the role of the examples ends
	text := "customers: [{uuid: ID, name: University of Tartu}]\n" +
		"users: [{uuid: {sam}, username: sam, is_staff: true, token: token-of-sam}, {uuid: ID, username: alice}]\n"
	if operation != "call_managing_organisations_create" {
		text += "call_managing_organisations: [{uuid: ID, customer: ID}]\n"
		if operation != "call_managing_organisations_add_user" {
			text += "user_roles: [{user: ID, role: CUSTOMER.CALL_ORGANIZER, scope: {call_managing_organisation: ID}}]\n"
		}
	}
	a.world.Import(t, strings.ReplaceAll(text, "ID", exampleID))
	return a
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
