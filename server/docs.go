package server

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"embed"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
)

// docsFiles is the documentation page with all that it loads. docs/swagger-ui holds files of the
// npm package swagger-ui-dist 5.35.0, unchanged, with its licences.
//
//go:embed docs
var docsFiles embed.FS

// docsPolicy lets the page load what this server serves, talk to this server, and nothing else.
// Images may be data: URLs, since Swagger UI's style sheet holds its icons so.
const docsPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
	"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// docsTypes are the media types by extension, whatever the machine has for them.
var docsTypes = map[string]string{
	".css":  "text/css; charset=utf-8",
	".html": "text/html; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".svg":  "image/svg+xml",
}

// routeDocs routes the documentation page. Each file has a route, so that any other path is unknown.
func routeDocs(e *echo.Echo, methods []string) {
	e.Match(methods, "/", func(c echo.Context) error { return c.Redirect(http.StatusFound, "/api/docs/") })
	_ = fs.WalkDir(docsFiles, "docs", func(name string, entry fs.DirEntry, err error) error {
		if entry.IsDir() {
			return err
		}
		content, err := docsFiles.ReadFile(name)
		mediaType := cmp.Or(docsTypes[path.Ext(name)], "text/plain; charset=utf-8")
		file := newAsset(mediaType, content)
		e.Match(methods, "/api/"+strings.TrimSuffix(name, "index.html"), func(c echo.Context) error {
			c.Response().Header().Set(echo.HeaderContentSecurityPolicy, docsPolicy)
			return file.serve(c)
		})
		return err
	})
}

// asset is a file that is served whole.
type asset struct {
	mediaType, etag, cacheControl string
	content                       []byte
}

// newAsset returns a text that the binary holds. Clients ask each time whether it changed, since
// another binary may have another text.
func newAsset(mediaType string, content []byte) asset {
	sum := sha256.Sum256(content)
	etag := fmt.Sprintf(`"%x"`, sum[:16])
	return asset{mediaType: mediaType, etag: etag, cacheControl: "no-cache", content: content}
}

// serve sends the asset, or 304 where the client has it.
func (a asset) serve(c echo.Context) error {
	header := c.Response().Header()
	header.Set(echo.HeaderContentType, a.mediaType)
	header.Set("ETag", a.etag)
	header.Set(echo.HeaderCacheControl, a.cacheControl)
	r := c.Request().Clone(c.Request().Context())
	r.Header.Del("Range") // ServeContent answers a wrong range with a text of its own
	c.Response().Before(func() { header.Del("Accept-Ranges") })
	http.ServeContent(c.Response(), r, "", time.Time{}, bytes.NewReader(a.content))
	return nil
}
