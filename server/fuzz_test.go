package server

import (
	"errors"
	"net/http"
	"net/url"
	"reflect"
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

// Whatever a query or a urlencoded body holds: texts in UTF-8 that mean the same once more, or
// a 400.
func FuzzParseQuery(f *testing.F) {
	for _, query := range []string{
		"", "a", "a=", "=a", "a=b&a=c", "a=b;c", "a=100%", "a=%zz", "a=%2", "a=%", "a=%%41", "a=%FF", "%FF=a", "a=\xff", "a=%00", "a=+%2B+",
		"&&a=b&", "a==b", "o=a,b", "a=%F0%9F%98%80", "a=\"'\\%_", "a=%C3", "page=1#x", "a=\r\n", "\x00",
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
	})
}

// What is brought into one form is in that form: bringing it there once more changes nothing,
// and no value of a parameter is lost that counts.
func FuzzNormaliseValues(f *testing.F) {
	spec, err := gen.GetSpec()
	if err != nil {
		f.Fatal(err)
	}
	var list operation
	for _, op := range operations(spec) {
		if op.id == "call_managing_organisations_list_users_list" {
			list = op
		}
	}
	for _, query := range []string{"", "o=a,b&o=c", "o=", "o=,", "field=a&field=,b", "role=a&role=", "role=&user=", "user=a&user=b", "page=1,2", "zzz=1", "page=&page_size="} {
		f.Add(query)
	}
	f.Fuzz(func(t *testing.T, query string) {
		sent, err := parseQuery(query)
		if err != nil {
			return
		}
		for _, parameter := range list.queryParams {
			values := normaliseValues(parameter, sent[parameter.Name])
			again := normaliseValues(parameter, values)
			if !reflect.DeepEqual(values, again) {
				t.Fatalf("%s: %q, then %q", parameter.Name, values, again)
			}
			isList := parameter.Schema.Value.Type.Is("array")
			if !isList && len(values) > 1 || isList && strings.Contains(strings.Join(values, "|"), ",") {
				t.Fatalf("%s: %q", parameter.Name, values)
			}
			if len(sent[parameter.Name]) > 0 && !parameter.AllowEmptyValue && len(values) == 0 {
				t.Fatalf("%s: %q is lost", parameter.Name, sent[parameter.Name])
			}
		}
	})
}

// A query in any other spelling is the same query.
func TestParseQueryReadsWhatBrowsersSend(t *testing.T) {
	for query, want := range map[string]url.Values{
		"a=100%":         {"a": {"100%"}},
		"a=b;c&d=e":      {"a": {"b;c"}, "d": {"e"}},
		"a=%zz%41":       {"a": {"%zzA"}},
		"a=%2":           {"a": {"%2"}},
		"a=b+c%2B&a=":    {"a": {"b c+", ""}},
		"a":              {"a": {""}},
		"%61=%C3%BC&&":   {"a": {"ü"}},
		"a=%25zz&b=%%41": {"a": {"%zz"}, "b": {"%A"}},
	} {
		if got, err := parseQuery(query); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %v, %v", query, got, err)
		}
	}
}
