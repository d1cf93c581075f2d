package server_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/opencalls/opencalls/store/storetest"
)

// sharedStatuses are those that every operation documents, 408, 413 and 415 where it has a body.
// The tests here and in broken_test.go walk them over all operations.
var sharedStatuses = []string{"401", "408", "413", "415", "429", "500", "503"}

// Nothing of any operation can be had without a token, but of those that openapi.yaml opens.
func TestEveryOperationNeedsAToken(t *testing.T) {
	stage := newStage(t, storetest.SQLite)
	for _, op := range operations {
		t.Run(op.OperationID, func(t *testing.T) {
			s := op.example()
			if op.Security != nil {
				s.as = "nobody"
				got := stage.send(t, stage.request(s))
				if stage.log.take(); got.Status != 200 {
					t.Errorf("%d %s", got.Status, got.Body)
				}
				stage.restore(t)
				s.header = []string{"Authorization: Token x"}
				s.status, s.want, s.headers = 401, `{"detail":"Invalid token."}`, map[string]string{"WWW-Authenticate": "Token"}
				stage.play(t, s)
				return
			}
			s.as, s.status, s.want, s.headers = "nobody", 401, `{"detail":"`+noCredentials+`"}`, map[string]string{"WWW-Authenticate": "Token"}
			stage.play(t, s)
		})
	}
}

// objects are an object of each resource: one of the world, of which every property is filled in.
var objects = map[string]string{
	"/api/call-managing-organisations/": "{tartu}", "/api/customers/": "{tartu.customer}", "/api/roles/": "{REGISTRAR}", "/api/users/": "{sam}",
}

// bodies are JSON that each operation with a body takes for that object.
var bodies = map[string]string{
	"api_auth_password":                          `{"username":"bob","password":"the password"}`,
	"call_managing_organisations_create":         `{"customer":` + freeURL + `}`,
	"call_managing_organisations_update":         `{"customer":"https://x/api/customers/{tartu.customer}/"}`,
	"call_managing_organisations_partial_update": `{"description":"new"}`,
	"call_managing_organisations_add_user":       `{"role":"HELPER","user":"{bob}"}`,
	"call_managing_organisations_update_user":    `{"role":"HELPER","user":"{jyrg}"}`,
	"call_managing_organisations_delete_user":    `{"role":"HELPER","user":"{jyrg}"}`,
	"users_create":             `{"username":"new","email":"new@example.com"}`,
	"users_partial_update":     `{"first_name":"Samuel"}`,
	"customers_create":         `{"name":"New"}`,
	"customers_update":         `{"name":"New"}`,
	"customers_partial_update": `{"name":"New"}`,
	"customers_add_user":       `{"role":"CUSTOMER.OWNER","user":"{bob}"}`,
	"customers_update_user":    `{"role":"CUSTOMER.OWNER","user":"{olev}"}`,
	"customers_delete_user":    `{"role":"CUSTOMER.OWNER","user":"{olev}"}`,
}

// example is a request of the operation by staff that would succeed.
func (o operation) example() scenario {
	s := scenario{request: o.method + " " + o.path}
	for resource, object := range objects {
		if strings.HasPrefix(o.path, resource) {
			s.request = o.method + " " + o.target(object)
		}
	}
	if o.OperationID == "customers_destroy" { // that customer has an organisation
		s.request = o.method + " " + o.target("{free.customer}")
	}
	if o.RequestBody != nil {
		s.body = jsonBody(bodies[o.OperationID])
	}
	return s
}

// mediaTypes are those of the bodies that the operation reads; one that is empty without a body.
func (o operation) mediaTypes() []string {
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
		s := op.example()
		for _, mediaType := range []string{"text/plain", "application/xml", "application/jsonx", "multipart/mixed; boundary=x", "application/octet-stream", "*/*", ""} {
			s.body, s.status = rawBody(mediaType, `{}`), 415
			s.want = fmt.Sprintf(`{"detail":"Unsupported media type \"%s\" in request."}`, mediaType)
			t.Run(op.OperationID+"/type/"+mediaType, func(t *testing.T) { stage.play(t, s) })
		}
		for _, mediaType := range op.mediaTypes() {
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
				r := stage.request(op.example())
				r.Body = rawBody(mediaType+"; boundary=x", strings.Repeat(" ", most))
				if got := stage.send(t, r); got.Status == 413 || got.Status >= 500 {
					t.Errorf("status %d: %s", got.Status, got.Body)
				}
				stage.log.take()
			})
		}
	}
}

// A path that holds no UUID, or one of another kind of object, is nothing's, whatever the operation.
func TestEveryPathNeedsAUUID(t *testing.T) {
	storetest.Each(t, func(t *testing.T, engine string) {
		t.Parallel()
		stage := newStage(t, engine)
		id := stage.names.Replace("{tartu}")
		stage.play(t, scenario{request: "GET …/" + strings.ReplaceAll(id, "-", "%2D") + "/", status: 200, want: organisation["tartu"]})
		stage.play(t, scenario{as: "nobody", request: "GET /api/media/" + strings.ReplaceAll(stage.names.Replace("{tartu.image}"), "-", "%2D") + "/", status: 200, want: tartuImage})
		escapedTwice := strings.ReplaceAll(id, "-", "%252D")
		for _, op := range operations {
			if !pathID.MatchString(op.path) {
				continue
			}
			for _, segment := range []string{
				"abc", "{tartu}0", "%00", "%FF", "a%2Fb", "%7B{tartu}%7D", "urn:uuid:{tartu}", "0-0000000-0000-4000-8000-000000000002", escapedTwice, "{review.1}",
			} {
				t.Run(op.OperationID+"/"+segment, func(t *testing.T) {
					s := op.example()
					s.request, s.status = op.method+" "+op.target(segment), 404
					s.want = fmt.Sprintf(`{"detail":"No %s matches the given query."}`, spec.Paths.Value(op.path).Extensions["x-not-found"])
					stage.play(t, s)
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
					s := scenario{as: "nobody", request: method + " " + pathID.ReplaceAllLiteralString(path, uuid), status: 405, want: fmt.Sprintf(`{"detail":"Method \"%s\" not allowed."}`, method)}
					if method == "OPTIONS" {
						s.status, s.want = 204, ""
					}
					got := stage.play(t, s)
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
					target := pathID.ReplaceAllLiteralString(path, "{tartu:UPPER}")
					stage.play(t, scenario{
						as: "nobody", request: method + " " + strings.TrimSuffix(target, "/") + query, body: body{},
						status: status, headers: map[string]string{"Location": target + query},
					})
				})
			}
		}
	}
}
