package differential

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime/multipart"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

// request is one request, as it is drawn and as the model reads it.
type request struct {
	as    string // the name of who sends it; "" is nobody
	op    string // create, update, …; see methods
	id    string // of the organisation or image, as it stands in the path
	query url.Values
	media string         // of the body: one of the constants below
	body  map[string]any // text, nil, a number or a file for each field
}

// file is an uploaded file; fine says that it is an image within the limits.
type file struct {
	name    string // for the log
	content string
	fine    bool
}

// The media types of bodies, and the bodies that are no object at all.
const (
	asJSON      = "application/json"
	asForm      = "application/x-www-form-urlencoded"
	asMultipart = "multipart/form-data"
	asText      = "text/plain"  // which no operation reads
	asBroken    = "broken JSON" // JSON that ends too early
	asNothing   = ""            // no body
)

// methods are the operations: how each is asked for, and the path below the organisation's.
var methods = map[string]struct{ method, path string }{
	"list":       {"GET", ""},
	"count":      {"HEAD", ""},
	"create":     {"POST", ""},
	"retrieve":   {"GET", ""},
	"update":     {"PUT", ""},
	"patch":      {"PATCH", ""},
	"destroy":    {"DELETE", ""},
	"stats":      {"GET", "stats/"},
	"listUsers":  {"GET", "list_users/"},
	"countUsers": {"HEAD", "list_users/"},
	"addUser":    {"POST", "add_user/"},
	"updateUser": {"POST", "update_user/"},
	"deleteUser": {"POST", "delete_user/"},
	"media":      {"GET", ""},
}

func (r request) method() string { return methods[r.op].method }

func (r request) target() string {
	target := base
	if r.op == "media" {
		target = "/api/media/"
	}
	if !slices.Contains([]string{"list", "count", "create"}, r.op) {
		target += r.id + "/" + methods[r.op].path
	}
	if len(r.query) > 0 {
		target += "?" + r.query.Encode()
	}
	return target
}

// content is the body as it is sent, and its Content-Type.
func (r request) content() (media, content string) {
	switch r.media {
	case asJSON:
		return r.media, marshal(r.body)
	case asBroken:
		return asJSON, `{"customer": `
	case asText:
		return r.media, "text"
	case asForm:
		form := url.Values{}
		for field, value := range r.body {
			form.Set(field, value.(string))
		}
		return r.media, form.Encode()
	case asMultipart:
		return r.multipart()
	}
	return "", ""
}

func (r request) multipart() (media, content string) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	_ = w.SetBoundary("the-boundary") // the same in every run
	for _, field := range sortedKeys(r.body) {
		header := textproto.MIMEHeader{"Content-Disposition": {`form-data; name="` + field + `"`}}
		value := r.body[field]
		if f, ok := value.(file); ok {
			header.Set("Content-Disposition", `form-data; name="`+field+`"; filename="picture"`)
			value = f.content
		}
		part, _ := w.CreatePart(header) // a buffer takes anything
		_, _ = part.Write([]byte(value.(string)))
	}
	_ = w.Close()
	return w.FormDataContentType(), b.String()
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

func marshal(value any) string {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		panic(err) // texts, numbers and what is made of them
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// GoString is the request's line in the list that a failure prints.
func (r request) GoString() string {
	who := r.as
	if who == "" {
		who = "nobody"
	}
	line := fmt.Sprintf("%s: %s %s", who, r.method(), r.target())
	switch r.media {
	case asNothing:
		return line
	case asText, asBroken:
		_, content := r.content()
		return fmt.Sprintf("%s %s %q", line, r.media, content)
	}
	short := map[string]any{}
	for field, value := range r.body {
		switch v := value.(type) {
		case string:
			value = shorten(v, 60)
		case file:
			value = "<" + v.name + ">"
		}
		short[field] = value
	}
	return fmt.Sprintf("%s %s %s", line, r.media, marshal(short))
}

// shorten cuts a text that is too long for a line.
func shorten(text string, length int) string {
	if n := utf8.RuneCountInString(text); n > length {
		return fmt.Sprintf("%s… (%d characters)", string([]rune(text)[:length]), n)
	}
	return text
}
