package server

import (
	"net/http"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/opencalls/opencalls/handlers"
)

// unforward makes a request that came through trusted proxies what it was before them: it has the
// address and the host of the client's own. It returns the scheme that the client used, "" where
// no trusted proxy says it. What others say of themselves is not looked at.
func unforward(r *http.Request, trusted []netip.Prefix) (scheme string) {
	if len(trusted) == 0 || !contains(trusted, addressOf(r.RemoteAddr)) {
		return ""
	}
	// Each proxy has added whom it saw: the first from the right that is no proxy of ours.
	hops := strings.Split(strings.Join(r.Header.Values(echo.HeaderXForwardedFor), ","), ",")
	for _, hop := range slices.Backward(hops) {
		address := addressOf(strings.TrimSpace(hop))
		if !address.IsValid() {
			break
		}
		r.RemoteAddr = address.String()
		if !contains(trusted, address) {
			break
		}
	}
	if host := lastOf(r.Header.Values("X-Forwarded-Host")); host != "" {
		r.Host = host
	}
	scheme = strings.ToLower(lastOf(r.Header.Values(echo.HeaderXForwardedProto)))
	if scheme != "http" && scheme != "https" {
		return ""
	}
	return scheme
}

// lastOf is what the proxy nearest to us says in a header.
func lastOf(values []string) string {
	all := strings.Split(strings.Join(values, ","), ",")
	return strings.TrimSpace(all[len(all)-1])
}

// addressOf reads an address with or without a port; the zero Addr if it is none.
func addressOf(text string) netip.Addr {
	if withPort, err := netip.ParseAddrPort(text); err == nil {
		return withPort.Addr().Unmap()
	}
	address, _ := netip.ParseAddr(strings.Trim(text, "[]"))
	return address.Unmap()
}

func contains(networks []netip.Prefix, address netip.Addr) bool {
	return slices.ContainsFunc(networks, func(n netip.Prefix) bool { return n.Contains(address.WithZone("")) })
}

// hostPattern is what a Host header may be, which goes into URLs, and those into headers that
// clients split at commas: a name or an address, and a port.
var hostPattern = regexp.MustCompile(`^([A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?$`)

// checkHost refuses a request for a host that is not ours. Health checks come by address and say
// nothing of anybody.
func checkHost(cfg Config) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r := c.Request()
			if !allowsHost(cfg.AllowedHosts, r.Host) && !isHealthCheck(r) {
				return &handlers.Problem{Status: http.StatusBadRequest, Detail: "Host is not allowed."}
			}
			return next(c)
		}
	}
}

// allowsHost says whether a host is one of those allowed, of which .example.com is example.com
// with all below it; without any, every host is. The port doesn't matter.
func allowsHost(allowed []string, host string) bool {
	if len(allowed) == 0 {
		return host == "" || hostPattern.MatchString(host) // HTTP/1.0 needs none
	}
	parts := hostPattern.FindStringSubmatch(host)
	if parts == nil {
		return false
	}
	name := strings.ToLower(strings.TrimSuffix(parts[1], "."))
	return slices.ContainsFunc(allowed, func(pattern string) bool {
		pattern = strings.ToLower(pattern)
		return name == strings.TrimPrefix(pattern, ".") || strings.HasPrefix(pattern, ".") && strings.HasSuffix(name, pattern)
	})
}

func isHealthCheck(r *http.Request) bool { return r.URL.Path == "/healthz" || r.URL.Path == "/readyz" }
