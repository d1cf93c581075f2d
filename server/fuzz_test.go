package server

import (
	"bytes"
	"errors"
	"net/http"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/opencalls/opencalls/gen"
	"github.com/opencalls/opencalls/handlers"
)

// Whatever an Authorization header holds: a token of one word, or a 401.
func FuzzTokenOf(f *testing.F) {
	for _, header := range []string{
		"", " ", "Token", "Token ", "Token x", "token x", "TOKEN\tx", "Token  x ", "Token x y", "Token x\ty", "Token \xff", "Token \x00",
		"Bearer", "Bearer x", "Bearer Token", "Bearer Token x", "bearer token x", "Bearer Token Token x", "Bearer Tokens x", "Bearer  Token  x",
		"Basic dG9rZW4=", "Tokenx", "x", "Token ü", "Token \u2003x", "Token " + strings.Repeat("x", 300), "Token \f",
	} {
		f.Add(header)
	}
	f.Fuzz(func(t *testing.T, header string) {
		token, err := tokenOf(header)
		if err != nil {
			var problem *handlers.Problem
			if !errors.As(err, &problem) || problem.Status != http.StatusUnauthorized || problem.Detail == "" || token != "" {
				t.Fatalf("%q: %q, %v", header, token, err)
			}
			return
		}
		if token == "" || strings.ContainsAny(token, " \t") || !utf8.ValidString(token) || !strings.Contains(header, token) {
			t.Fatalf("%q: %q", header, token)
		}
		if strings.EqualFold(token, "token") {
			return // after Bearer it is a word, not a token
		}
		for _, scheme := range []string{"Token ", "Bearer ", "bearer token "} {
			if again, err := tokenOf(scheme + token); err != nil || again != token {
				t.Fatalf("%q: %q, then %q, %v", header, token, again, err)
			}
		}
	})
}

// Whatever a query or a urlencoded body holds: texts in UTF-8 that mean the same once more, or a 400. What is
// brought into one form is in that form, and no value of a parameter is lost that counts.
func FuzzParseQuery(f *testing.F) {
	list := testOperation(f, "call_managing_organisations_list_users_list")
	for _, query := range []string{
		"", "a", "a=", "=a", "a=b&a=c", "a=b;c", "a=100%", "a=%zz", "a=%2", "a=%", "a=%%41", "a=%FF", "%FF=a", "a=\xff", "a=%00", "a=+%2B+",
		"&&a=b&", "a==b", "o=a,b", "a=%F0%9F%98%80", "a=\"'\\%_", "a=%C3", "page=1#x", "a=\r\n", "\x00",
		"o=a,b&o=c", "o=", "o=,", "field=a&field=,b", "role=a&role=", "role=&user=", "user=a&user=b", "page=1,2", "page=&page_size=",
	} {
		f.Add(query)
	}
	f.Fuzz(func(t *testing.T, query string) {
		values, err := parseQuery(query)
		if err != nil {
			var problem *handlers.Problem
			if !errors.As(err, &problem) || problem.Status != http.StatusBadRequest {
				t.Fatalf("%q: %v", query, err)
			}
			if utf8.ValidString(query) && !strings.Contains(query, "%") {
				t.Fatalf("%q is refused: %v", query, err)
			}
			return
		}
		for key, list := range values {
			for _, text := range append(list, key) {
				if !utf8.ValidString(text) {
					t.Fatalf("%q: %q is no UTF-8", query, text)
				}
			}
		}
		if again, err := parseQuery(values.Encode()); err != nil || !reflect.DeepEqual(values, again) {
			t.Fatalf("%q: %v, then %v, %v", query, values, again, err)
		}
		for _, parameter := range list.queryParams {
			sent := values[parameter.Name]
			if len(sent) == 0 || sent[len(sent)-1] == "" && parameter.AllowEmptyValue {
				continue
			}
			normal := normaliseValues(parameter, sent)
			isList := parameter.Schema.Value.Type.Is("array")
			wrong := !isList && len(normal) > 1 || isList && strings.Contains(strings.Join(normal, "|"), ",") || len(normal) == 0
			if wrong || !slices.Equal(normal, normaliseValues(parameter, normal)) {
				t.Fatalf("%s: %q", parameter.Name, normal)
			}
		}
	})
}

// testOperation is an operation of openapi.yaml.
func testOperation(t testing.TB, id string) operation {
	t.Helper()
	spec, err := gen.GetSpec()
	if err != nil {
		t.Fatal(err)
	}
	list := operations(spec)
	return list[slices.IndexFunc(list, func(op operation) bool { return op.id == id })]
}

// Whatever a multipart body holds: fields and files that are in it, or a 400.
func FuzzMultipart(f *testing.F) {
	update := testOperation(f, "call_managing_organisations_update")
	for _, content := range []string{
		"", "--x--", "--x\r\n\r\n\r\n--x--\r\n", "--x\r\nContent-Disposition: form-data; name=description\r\n\r\nb\r\n--x--\r\n",
		"--x\nContent-Disposition: form-data; name=description\n\nb\n--x--\n",
		"--x\r\nContent-Disposition: form-data; name=\"image\"; filename=\"../a\"\r\nContent-Type: image/png\r\n\r\n\x89PNG\r\n--x--\r\n",
		"--x\r\nContent-Disposition: form-data; name*=utf-8''%FF; filename*=utf-8''%00\r\n\r\nb\r\n--x--\r\n", "--x\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=\r\n--x--\r\n",
		"--x\r\nContent-Disposition: ;;;\r\n\r\nb\r\n--x--", "--x\r\n:\r\n\r\nb\r\n--x--", "--x\r\nContent-Disposition: form-data; name=customer\r\n\r\nb",
	} {
		f.Add([]byte(content))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		b, err := decodeBody(update, "multipart/form-data", "x", bytes.NewReader(content), int64(len(content)))
		var problem *handlers.Problem
		if err != nil && (!errors.As(err, &problem) || problem.Status != http.StatusBadRequest) {
			t.Fatalf("%q: %v", content, err)
		}
		for name, file := range b.files {
			if !bytes.Contains(content, file.Content) {
				t.Fatalf("%q: file %q holds %q", content, name, file.Content)
			}
		}
		for name, value := range b.value {
			if text, ok := value.(string); ok && !bytes.Contains(content, []byte(text)) {
				t.Fatalf("%q: field %q holds %q", content, name, text)
			}
		}
	})
}

// A multipart body that is cut off is refused, wherever that is.
func TestMultipartCutOff(t *testing.T) {
	update := testOperation(t, "call_managing_organisations_update")
	const whole = "preamble\r\n--x\r\nContent-Disposition: form-data; name=description\r\n\r\nhello\r\n" +
		"--x\r\nContent-Disposition: form-data; name=image; filename=a\r\nContent-Type: image/png\r\n\r\nworld\r\n--x--"
	for end := range len(whole) + 1 {
		_, err := decodeBody(update, "multipart/form-data", "x", strings.NewReader(whole[:end]), int64(end))
		if (err == nil) != (end == len(whole)) {
			t.Errorf("%q: %v", whole[:end], err)
		}
	}
}

// However many fields and files a body has, decoding it takes little more memory than its own size.
func TestMemoryOfDecoding(t *testing.T) {
	const size = 1 << 20
	update := testOperation(t, "call_managing_organisations_update")
	for name, test := range map[string]struct{ media, start, repeated, end string }{
		"files":   {"multipart/form-data", "", "--x\r\nContent-Disposition: form-data; name=image; filename=a\r\n\r\n" + strings.Repeat("x", 5000) + "\r\n", "--x--"},
		"objects": {"application/json", `{"description":[{}`, `,{"a":{"b":1}}`, `]}`},
		"unknown": {"application/json", `{"unknown":[{}`, `,{"a":{"b":1}}`, `]}`},
	} {
		sent := test.start + strings.Repeat(test.repeated, size/len(test.repeated)) + test.end
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, err := decodeBody(update, test.media, "x", strings.NewReader(sent), int64(len(sent))); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		if taken := after.TotalAlloc - before.TotalAlloc; taken > 8*size {
			t.Errorf("%s: %d MiB for a body of one", name, taken>>20)
		}
	}
}
