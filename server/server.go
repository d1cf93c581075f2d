// Package server is the HTTP side: it normalises a request, validates it against openapi.yaml, hands
// it to the handlers, and writes errors.
package server

import (
	"cmp"
	"log/slog"
	"net/http"
	"net/netip"
	"regexp"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/uuid"
	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"

	"github.com/opencalls/opencalls/gen"
	"github.com/opencalls/opencalls/handlers"
	"github.com/opencalls/opencalls/images"
	"github.com/opencalls/opencalls/store"
)

// The modes of checking answers against openapi.yaml.
const (
	ValidateOff  = "off"
	ValidateLog  = "log"  // a violation is a warning in the log
	ValidateFail = "fail" // a violation is a 500 that says where
)

// The defaults of Config, which are those of the command line too.
const (
	DefaultImageMaxBytes  = 5 << 20
	DefaultImageMaxPixels = 16_000_000
	DefaultMaxBodyBytes   = 1 << 20
	DefaultBodyMemory     = 96 << 20
	DefaultRequestTimeout = 30 * time.Second
	DefaultTokenLifetime  = 24 * time.Hour
)

// Config is what the server is made of. Store is needed; the rest has defaults.
type Config struct {
	Store             *store.Store
	Now               func() time.Time     // time.Now
	NewUUID           func() uuid.UUID     // for request ids; random
	Logger            *slog.Logger         // one line per request; slog.Default()
	PublicURL         string               // scheme and host of URLs in answers; "" takes the request's
	AnonymousRead     bool                 // operations with x-anonymous-read need no token
	ValidateResponses string               // ValidateOff
	Images            images.Limits        // of uploads; 5 MiB and 16 megapixels
	Draining          func() bool          // whether the server is about to end; never
	BodyMemory        int64                // for request bodies in bytes, a quarter of it for one user; 96 MiB
	MaxBodyBytes      int64                // of JSON and urlencoded, and of multipart beside an image; 1 MiB
	RateLimitToken    RateLimit            // of each token; none
	RateLimitAddress  RateLimit            // of each address; none
	AllowedHosts      []string             // hosts that requests may name, .example.com with all below; all without any
	TrustedProxies    []netip.Prefix       // whose X-Forwarded-For, -Host and -Proto count; none
	CORSOrigins       []string             // origins whose pages may use the API, or *; none
	RequestTimeout    time.Duration        // after which the work on a request ends with 503; 30 s
	TokenLifetime     time.Duration        // of a sign-in's token after its last use; 24 h
	NewToken          func() string        // for sign-ins; random
	Traces            trace.TracerProvider // makes a span of each request; nil: none
	Version           string               // of the program, as /api/version/ shows it; dev
	FrontEnd          bool                 // what Waldur's front end asks for beside the API is answered
	Extension         *Extension           // what the server has beside that; nothing

	// Metrics registers what the server counts, once for each server; nowhere.
	Metrics prometheus.Registerer
}

// Extension adds to the server what openapi.yaml doesn't have. All of it is needed.
type Extension struct {
	Schema func() (yaml, json []byte) // what /api/schema/ serves instead of openapi.yaml
	Route  func(*echo.Echo)           // routes further paths
	Around echo.MiddlewareFunc        // what every request passes once its route is known
}

// WithDefaults fills in what is not set.
func (cfg Config) WithDefaults() Config {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.NewUUID == nil {
		cfg.NewUUID = uuid.New
	}
	if cfg.Draining == nil {
		cfg.Draining = func() bool { return false }
	}
	cfg.Logger = cmp.Or(cfg.Logger, slog.Default())
	cfg.ValidateResponses = cmp.Or(cfg.ValidateResponses, ValidateOff)
	cfg.Images.MaxBytes = cmp.Or(cfg.Images.MaxBytes, DefaultImageMaxBytes)
	cfg.Images.MaxPixels = cmp.Or(cfg.Images.MaxPixels, DefaultImageMaxPixels)
	cfg.MaxBodyBytes = cmp.Or(cfg.MaxBodyBytes, DefaultMaxBodyBytes)
	cfg.BodyMemory = cmp.Or(cfg.BodyMemory, DefaultBodyMemory)
	cfg.Version = cmp.Or(cfg.Version, "dev")
	if cfg.NewToken == nil {
		cfg.NewToken = store.NewToken
	}
	cfg.TokenLifetime = cmp.Or(cfg.TokenLifetime, DefaultTokenLifetime)
	cfg.RequestTimeout = cmp.Or(cfg.RequestTimeout, DefaultRequestTimeout)
	return cfg
}

// New returns the server. Its error is a fault of openapi.yaml.
func New(cfg Config) (http.Handler, error) {
	cfg = cfg.WithDefaults()
	spec, err := Spec()
	if err != nil {
		return nil, err
	}
	e := echo.New()
	e.HTTPErrorHandler = writeError
	e.IPExtractor = clientAddress(cfg.TrustedProxies)
	e.Use(before(cfg.identify))
	if cfg.Traces != nil {
		e.Use(traceRequests(cfg.Traces))
	}
	m := newMetrics(cfg.Metrics)
	e.Use(m.observe, logRequests(cfg), recoverPanics(), before(cfg.setHeaders, cfg.checkHost),
		crossOrigin(cfg), before(limitAddresses(cfg, m.throttled.WithLabelValues("address"))))
	if cfg.Extension != nil {
		e.Use(cfg.Extension.Around, recoverPanics())
		cfg.Extension.Route(e)
	}
	routePlain(e, cfg)
	if cfg.FrontEnd {
		routeFrontEnd(e)
	}
	routeOperations(e, cfg, spec, m)
	routeMissingSlashes(e)
	m.name(e.Routes(), spec)
	return e, nil
}

// routeOperations routes what openapi.yaml defines. Each operation passes the same middleware.
func routeOperations(e *echo.Echo, cfg Config, spec *openapi3.T, m *metrics) {
	chains := map[string][]echo.MiddlewareFunc{}
	memory := newBodyMemory(cfg.BodyMemory, bodyWait)
	memory.show(cfg.Metrics)
	tokens := newLimiters[string](cfg.RateLimitToken, cfg.Now, m.throttled.WithLabelValues("token"))
	for _, op := range operations(spec) {
		op.anyField = cfg.FrontEnd
		chains[op.id] = []echo.MiddlewareFunc{
			before(op.checkMethod), checkResponse(cfg, op, m.violations.WithLabelValues(op.id, "response")),
			before(op.announce, authenticate(cfg, op, tokens), op.checkPath, op.normaliseQuery),
			readBody(cfg, op, memory),
			middleware.ContextTimeout(cfg.RequestTimeout), // now that the body has come: a slow client is no fault of ours
			before(counted(m.violations.WithLabelValues(op.id, "request"), op.validate)),
		}
	}
	strict := gen.NewStrictHandler(handlers.New(cfg.Store, cfg.Images, cfg.TokenLifetime, cfg.NewToken, cfg.Version), nil)
	gen.RegisterHandlersWithOptions(e, strict, gen.RegisterHandlersOptions{OperationMiddlewares: chains})
}

// before is middleware that refuses a request for which one of the checks fails.
func before(checks ...func(echo.Context) error) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			for _, check := range checks {
				if err := check(c); err != nil {
					return err
				}
			}
			return next(c)
		}
	}
}

// usableRequestID is what a client's own id may be to go into a log as it is.
var usableRequestID = regexp.MustCompile(`^[!-~]{1,128}$`)

// identify gives the request its id, and the handlers what they see of it.
func (cfg Config) identify(c echo.Context) error {
	r := c.Request()
	id := r.Header.Get(echo.HeaderXRequestID)
	if !usableRequestID.MatchString(id) {
		id = cfg.NewUUID().String()
	}
	c.Response().Header().Set(echo.HeaderXRequestID, id)
	origin := cmp.Or(cfg.PublicURL, originOf(r, cfg.TrustedProxies))
	request := &handlers.Request{ID: id, Origin: origin, Path: r.URL.EscapedPath(), Network: networkOf(c).String()}
	c.SetRequest(r.WithContext(handlers.WithRequest(r.Context(), request)))
	return nil
}
