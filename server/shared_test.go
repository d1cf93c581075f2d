package server_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/opencalls/opencalls/store/storetest"
)

// sharedStatuses are those that every operation documents, 408, 413 and 415 where it has a body.
// The tests here and in broken_test.go walk them over all operations.
var sharedStatuses = []string{"401", "408", "413", "415", "429", "500", "503"}

// Nothing of any operation can be had without a token that is known.
func TestEveryOperationNeedsAToken(t *testing.T) {
	storetest.Each(t, func(t *testing.T, engine string) {
		t.Parallel()
		stage := newStage(t, engine)
		for _, op := range operations {
			for authorization, detail := range map[string]string{
				"":              "Authentication credentials were not provided.",
				"Basic x":       "Authentication credentials were not provided.",
				"Token":         "Invalid token. No credentials provided.",
				"Token a b":     "Invalid token. Token string should not contain spaces.",
				"Bearer nobody": "Invalid token.",
			} {
				t.Run(op.OperationID+"/"+authorization, func(t *testing.T) {
					s := scenario{
						as: "nobody", request: op.method + " " + op.target("{zagreb}"), body: op.example(),
						status: 401, want: fmt.Sprintf(`{"detail":%q}`, detail), headers: map[string]string{"WWW-Authenticate": "Token"},
					}
					if authorization != "" {
						s.header = []string{"Authorization: " + authorization}
					}
					stage.play(t, s.withoutBodyIfHead())
				})
			}
		}
	})
}

// withoutBodyIfHead expects no body of an answer to HEAD.
func (s scenario) withoutBodyIfHead() scenario {
	if strings.HasPrefix(s.request, "HEAD ") {
		s.want = ""
	}
	return s
}

// example is a body that the operation takes, if it takes one: it would succeed.
func (o operation) example() body {
	switch {
	case o.RequestBody == nil:
		return body{}
	case o.OperationID == "call_managing_organisations_create":
		return jsonBody(`{"customer":"https://x/api/customers/{free.customer}/"}`)
	case o.method == http.MethodPost:
		return role("HELPER", "bob", "")
	}
	return jsonBody(`{"customer":"https://x/api/customers/{zagreb.customer}/","description":"new"}`)
}

// bodies are the media types that the operation reads; one that is empty without a body.
func (o operation) bodies() []string {
	if o.RequestBody == nil {
		return []string{""}
	}
	var types []string
	for mediaType := range o.RequestBody.Value.Content {
		types = append(types, mediaType)
	}
	slices.Sort(types)
	return types
}

// Every operation with a body refuses one of another type, and one that is too large.
func TestEveryBodyHasItsTypeAndSize(t *testing.T) {
	const limit, imageLimit = 1 << 20, 5 << 20
	stage := newStage(t, storetest.SQLite)
	for _, op := range operations {
		if op.RequestBody == nil {
			continue
		}
		s := scenario{request: op.method + " " + op.target("{zagreb}")}
		for _, mediaType := range []string{"text/plain", "application/xml", "application/jsonx", "multipart/mixed; boundary=x", "application/octet-stream", "*/*", ""} {
			s.body, s.status = rawBody(mediaType, `{}`), 415
			s.want = fmt.Sprintf(`{"detail":"Unsupported media type \"%s\" in request."}`, mediaType)
			t.Run(op.OperationID+"/type/"+mediaType, func(t *testing.T) { stage.play(t, s) })
		}
		for _, mediaType := range op.bodies() {
			most := limit
			if mediaType == "multipart/form-data" {
				most += imageLimit
			}
			for _, chunked := range []bool{false, true} {
				s.body = body{MediaType: mediaType + "; boundary=x", Content: strings.Repeat(" ", most+1), Chunked: chunked}
				s.status, s.want = 413, `{"detail":"Request body is too large."}`
				t.Run(fmt.Sprintf("%s/size/%s/chunked=%v", op.OperationID, mediaType, chunked), func(t *testing.T) { stage.play(t, s) })
			}
			t.Run(op.OperationID+"/the largest/"+mediaType, func(t *testing.T) {
				r := request{Method: op.method, Target: stage.names.Replace(op.target("{percent.customer}")), Token: "token-of-sam"}
				r.Body = rawBody(mediaType+"; boundary=x", strings.Repeat(" ", most))
				if got := stage.send(t, r); got.Status == 413 || got.Status >= 500 {
					t.Errorf("status %d: %s", got.Status, got.Body)
				}
				stage.log.take()
			})
		}
	}
}

// A path that holds no UUID is no organisation's, whatever the operation.
func TestEveryPathNeedsAUUID(t *testing.T) {
	storetest.Each(t, func(t *testing.T, engine string) {
		t.Parallel()
		stage := newStage(t, engine)
		id := stage.names.Replace("{tartu}")
		stage.play(t, scenario{request: "GET …/" + strings.ReplaceAll(id, "-", "%2D") + "/", status: 200, want: organisation["tartu"]})
		escapedTwice := strings.ReplaceAll(id, "-", "%252D")
		for _, op := range operations {
			if !strings.Contains(op.path, "{uuid}") {
				continue
			}
			for _, segment := range []string{
				"abc", "{tartu}0", "%00", "%FF", "a%2Fb", "%7B{tartu}%7D", "urn:uuid:{tartu}", "0-0000000-0000-4000-8000-000000000002", escapedTwice, "{tartu.customer}",
			} {
				t.Run(op.OperationID+"/"+segment, func(t *testing.T) {
					s := scenario{request: op.method + " " + op.target(segment), body: op.example(), status: 404, want: noOrganisation}
					stage.play(t, s.withoutBodyIfHead())
				})
			}
		}
	})
}

// A method that a path does not have is 405 for everybody, and Allow says which it has.
func TestEveryPathHasItsMethods(t *testing.T) {
	methods := []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "LIST", "get"}
	stage := newStage(t, storetest.SQLite)
	for path, item := range spec.Paths.Map() {
		has := []string{"OPTIONS"}
		for method := range item.Operations() {
			has = append(has, method)
		}
		slices.Sort(has)
		for _, method := range append(methods, "OPTIONS") {
			if slices.Contains(has, method) && method != "OPTIONS" {
				continue
			}
			for _, uuid := range []string{"{tartu}", "abc"} {
				t.Run(method+path+uuid, func(t *testing.T) {
					s := scenario{as: "nobody", request: method + " " + strings.ReplaceAll(path, "{uuid}", uuid), status: 405, want: fmt.Sprintf(`{"detail":"Method \"%s\" not allowed."}`, method)}
					if method == "OPTIONS" {
						s.status, s.want = 204, ""
					}
					got := stage.play(t, s.withoutBodyIfHead())
					allow := strings.Split(got.Header.Get("Allow"), ", ")
					if slices.Sort(allow); !slices.Equal(allow, has) {
						t.Errorf("Allow is %v, want %v", allow, has)
					}
				})
			}
		}
	}
}

// A path without its last slash leads to the one with it, with the query as it is.
func TestEveryPathEndsWithASlash(t *testing.T) {
	stage := newStage(t, storetest.SQLite)
	paths := []string{"/api/media/{uuid}/"}
	for path := range spec.Paths.Map() {
		paths = append(paths, path)
	}
	for _, path := range paths {
		for method, status := range map[string]int{"GET": 301, "HEAD": 301, "POST": 308, "PUT": 308, "PATCH": 308, "DELETE": 308} {
			for _, query := range []string{"", "?page=2&o=a,b&x=%FF"} {
				t.Run(method+path+query, func(t *testing.T) {
					target := strings.ReplaceAll(path, "{uuid}", "{tartu:UPPER}")
					stage.play(t, scenario{
						as: "nobody", request: method + " " + strings.TrimSuffix(target, "/") + query, body: body{},
						status: status, headers: map[string]string{"Location": target + query},
					})
				})
			}
		}
	}
}
