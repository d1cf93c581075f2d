package server_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/opencalls/opencalls/server"
	"github.com/opencalls/opencalls/store/storetest"
)

const wrongHost = "\r\n\r\n{\"detail\":\"Host is not allowed.\"}\n"

// get is a request for tartu, as bytes, with a Host and more lines of its header.
func (a *stage) get(t *testing.T, path, host string, lines ...string) string {
	t.Helper()
	return raw(t, a.app, a.names.Replace("GET "+path+" HTTP/1.1\r\nHost: "+host+"\r\nAuthorization: Token token-of-sam\r\nConnection: close\r\n"+
		strings.Join(append(lines, ""), "\r\n")+"\r\n"))
}

// A host that is not allowed learns nothing, not even which paths there are; health checks come by
// address.
func TestAllowedHosts(t *testing.T) {
	stage := newStage(t, storetest.SQLite, func(s *setup) {
		s.server.AllowedHosts, s.server.PublicURL = []string{"calls.example.com", ".Example.org", "[::1]"}, ""
	})
	for host, allowed := range map[string]bool{
		"calls.example.com": true, "CALLS.example.com.:8443": true, "example.org": true, "a.b.example.org": true, "[::1]:8080": true,
		"example.com": false, "evil.example.com": false, "calls.example.com.evil.com": false, "badexample.org": false, "127.0.0.1": false,
		"calls.example.com@evil.com": false, "calls.example.com,evil.com": false, "calls.example.com:x": false, "": false,
	} {
		for _, path := range []string{"…/{tartu}/", "/nothing", "/api/media/{tartu.image}/", "/api/docs/", "…/{tartu}"} {
			got := stage.get(t, path, host)
			if refused := strings.HasPrefix(got, "HTTP/1.1 400 ") && (strings.HasSuffix(got, wrongHost) || strings.Contains(got, refusedByLibrary)); refused == allowed {
				t.Errorf("%s of %q:\n%s", path, host, got)
			}
		}
		// The host of an absolute target counts, not the header's.
		got := stage.get(t, "http://"+host+base, "calls.example.com")
		if shown := strings.Contains(got, `[{"url":"http://`+host+base); host != "" && shown != allowed {
			t.Errorf("a target at %q:\n%s", host, got)
		}
		if got := stage.get(t, "/healthz", host); !strings.HasPrefix(got, "HTTP/1.1 200 ") && !strings.Contains(got, refusedByLibrary) {
			t.Errorf("a health check at %q:\n%s", host, got)
		}
	}
}

// A Host header reaches url and Link as a host alone, or not at all.
func TestHostsThatAreNone(t *testing.T) {
	stage := newStage(t, storetest.SQLite, func(s *setup) { s.server.PublicURL = "" })
	for _, host := range []string{"a,b", "a;b", "user@evil.example", "a(b)", "a:80:80", "[::1", "*", "~"} {
		if got := stage.get(t, "…/?page_size=1", host); !strings.HasPrefix(got, "HTTP/1.1 400 ") || !strings.HasSuffix(got, wrongHost) && !strings.Contains(got, refusedByLibrary) {
			t.Errorf("%q:\n%s", host, got)
		}
	}
}

// What a client says of itself in X-Forwarded-… counts only where a trusted proxy passes it on.
func TestTrustedProxies(t *testing.T) {
	forwarded := []string{"X-Forwarded-For: 198.51.100.7, 192.0.2.1", "X-Forwarded-Host: calls.example.com", "X-Forwarded-Proto: https"}
	for name, test := range map[string]struct {
		trusted        []string
		lines          []string
		origin, remote string // "" is what the connection says
	}{
		"nobody is trusted":                   {nil, forwarded, "", ""},
		"another is trusted":                  {[]string{"10.0.0.0/8", "::1/128"}, forwarded, "", ""},
		"the proxy is trusted":                {[]string{"127.0.0.0/8"}, forwarded, "https://calls.example.com", "192.0.2.1"},
		"a chain of them":                     {[]string{"127.0.0.1/32", "192.0.2.0/24"}, forwarded, "https://calls.example.com", "198.51.100.7"},
		"all that are named":                  {[]string{"0.0.0.0/0"}, forwarded, "https://calls.example.com", "198.51.100.7"},
		"it says nothing":                     {[]string{"127.0.0.0/8"}, nil, "", ""},
		"it says nonsense":                    {[]string{"127.0.0.0/8"}, []string{"X-Forwarded-For: x", "X-Forwarded-Proto: javascript"}, "", ""},
		"nonsense behind an address":          {[]string{"127.0.0.0/8", "192.0.2.0/24"}, []string{"X-Forwarded-For: 203.0.113.1, \"<x>, 192.0.2.1"}, "", ""},
		"the last of several lines is nearer": {[]string{"127.0.0.0/8"}, []string{"X-Forwarded-Host: evil.example", "X-Forwarded-Host: a.example, b.example", "X-Forwarded-For: [2001:db8::1]"}, "http://b.example", "2001:db8::1"},
	} {
		t.Run(name, func(t *testing.T) {
			stage := newStage(t, storetest.SQLite, func(s *setup) {
				s.server.PublicURL = ""
				for _, network := range test.trusted {
					s.server.TrustedProxies = append(s.server.TrustedProxies, netip.MustParsePrefix(network))
				}
			})
			got := stage.get(t, "…/?page_size=1", "direct.example", test.lines...)
			origin := test.origin
			if origin == "" {
				origin = "http://direct.example"
			}
			if !strings.Contains(got, "\nLink: <"+origin+"/api/") || !strings.Contains(got, `[{"url":"`+origin+`/api/`) {
				t.Errorf("the origin is not %s:\n%s", origin, got)
			}
			if hsts := strings.Contains(got, "\nStrict-Transport-Security: max-age="); hsts != strings.HasPrefix(origin, "https:") {
				t.Errorf("Strict-Transport-Security is there: %v", hsts)
			}
			var line struct{ Remote string }
			if err := json.Unmarshal([]byte(stage.log.take()), &line); err != nil {
				t.Fatal(err)
			}
			if want := cmp.Or(test.remote, "127.0.0.1"); line.Remote != want {
				t.Errorf("the log has the address %q, want %q", line.Remote, want)
			}
		})
	}
	stage := newStage(t, storetest.SQLite, func(s *setup) {
		s.server.PublicURL = ""
		s.server.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	})
	if got := stage.get(t, "…/", "direct.example", "X-Forwarded-Host: a/<script>"); !strings.HasSuffix(got, wrongHost) {
		t.Errorf("a proxy's host that is none:\n%s", got)
	}
}

// Every answer says what browsers and caches need to know, whatever it is.
func TestSecurityHeaders(t *testing.T) {
	for _, mode := range []string{server.ValidateOff, server.ValidateFail} {
		stage := newStage(t, storetest.SQLite, func(s *setup) { s.plain, s.server.ValidateResponses = true, mode })
		for target, cache := range map[string]string{
			"…/": "no-store", "…/{tartu}/": "no-store", "…/abc/": "no-store", "…/?o=x": "no-store", "/nothing": "no-store", "/api/call-managing-organisations": "no-store", "/healthz": "no-store",
			"/api/media/{tartu.image}/": "public, max-age=31536000, immutable", "/api/docs/": "no-cache", "/api/schema/": "no-cache",
		} {
			for _, token := range []string{"token-of-sam", "wrong", ""} {
				got := stage.send(t, request{Method: "GET", Target: stage.names.Replace(target), Token: token})
				for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": cache, "Strict-Transport-Security": "max-age=31536000"} {
					if values := got.Header.Values(name); len(values) != 1 || values[0] != want {
						t.Errorf("%s, status %d: %s is %q, want %q", target, got.Status, name, values, want)
					}
				}
				for name := range got.Header {
					if strings.HasPrefix(name, "Access-Control-") || name == "Server" || name == "X-Powered-By" {
						t.Errorf("%s: %s is %q", target, name, got.Header.Get(name))
					}
				}
			}
		}
	}
}

// A page of another origin may use the API from a browser only where the configuration names it.
func TestCORS(t *testing.T) {
	const portal = "https://portal.example.com"
	stage := newStage(t, storetest.SQLite, func(s *setup) { s.server.CORSOrigins = []string{portal} })
	for _, test := range []struct {
		origin  string
		allowed bool
	}{{portal, true}, {"https://evil.example", false}, {portal + ".evil.example", false}, {"http://portal.example.com", false}, {"null", false}} {
		for _, token := range []string{"token-of-sam", "wrong"} {
			r := request{Method: "GET", Target: base, Token: token, Header: http.Header{"Origin": {test.origin}}}
			got := stage.send(t, r).Header
			if (got.Get("Access-Control-Allow-Origin") == test.origin) != test.allowed || got.Get("Access-Control-Allow-Credentials") != "" || !strings.Contains(fmt.Sprint(got.Values("Vary")), "Origin") {
				t.Errorf("%s: %v", test.origin, got)
			}
			if exposed := got.Get("Access-Control-Expose-Headers"); test.allowed && exposed != "X-Result-Count,Link,Location,X-Request-Id,Retry-After" && exposed != "X-Result-Count,Link,Location,X-Request-ID,Retry-After" {
				t.Errorf("exposed: %s", exposed)
			}
		}
		preflight := stage.send(t, request{Method: "OPTIONS", Target: base, Header: http.Header{
			"Origin": {test.origin}, "Access-Control-Request-Method": {"PATCH"}, "Access-Control-Request-Headers": {"authorization,x-own"}}})
		methods, headers := preflight.Header.Get("Access-Control-Allow-Methods"), preflight.Header.Get("Access-Control-Allow-Headers")
		if preflight.Status != 204 || strings.Contains(methods, "PATCH") != test.allowed || (headers == "authorization,x-own") != test.allowed {
			t.Errorf("preflight of %s: %d, methods %q, headers %q", test.origin, preflight.Status, methods, headers)
		}
	}
}

// With CORS an OPTIONS request that is no preflight is what it is without.
func TestOptionsThatAreNoPreflight(t *testing.T) {
	const portal = "https://portal.example.com"
	for _, origins := range [][]string{nil, {portal}, {"*"}} {
		stage := newStage(t, storetest.SQLite, func(s *setup) { s.server.CORSOrigins, s.plain = origins, true })
		for _, header := range []http.Header{nil, {"Origin": {portal}}, {"Access-Control-Request-Method": {"PATCH"}}} {
			if got := stage.send(t, request{Method: "OPTIONS", Target: "/nothing/", Header: header}); got.Status != 404 {
				t.Errorf("%v, %v: an unknown path is %d", origins, header, got.Status)
			}
			if got := stage.send(t, request{Method: "OPTIONS", Target: base, Header: header}); got.Status != 204 || !strings.Contains(got.Header.Get("Allow"), "POST") || got.Header.Get("Access-Control-Allow-Origin") != "" {
				t.Errorf("%v, %v: %d %v", origins, header, got.Status, got.Header)
			}
		}
	}
}
