package httpapi

import (
	"embed"
	"io/fs"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"
)

// dist is the built chat page. The folder holds nothing but a marker until `make web` has run.
//
//go:embed all:web/dist
var dist embed.FS

const pageMissing = "The chat page is not part of this binary: build it with `make run` or `make build`.\n" +
	"Everything else is served.\n"

// pagePolicy lets the page load only its own files and talk only to this server, and no other site may frame it.
const pagePolicy = "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'"

func pageHeaders(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		h := c.Response().Header()
		h.Set("Content-Security-Policy", pagePolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer") // the page's address contains the user id
		return next(c)
	}
}

func builtPage() fs.FS {
	files, err := fs.Sub(dist, "web/dist")
	if err != nil {
		panic("httpapi: " + err.Error()) // the folder is embedded above
	}
	return files
}

// servePage serves the files, with index.html at the root. Without an index.html, the root says how to build the page.
func servePage(files fs.FS) echo.HandlerFunc {
	_, err := fs.Stat(files, "index.html")
	missing := err != nil
	server := http.FileServerFS(files)
	return func(c echo.Context) error {
		name := strings.TrimPrefix(c.Request().URL.Path, "/")
		switch {
		case name == "" && missing:
			return c.String(http.StatusOK, pageMissing)
		case name != "" && !isPageFile(files, name):
			return echo.ErrNotFound
		}
		server.ServeHTTP(c.Response(), c.Request())
		return nil
	}
}

// isPageFile reports whether the page has a file of that name. Folders are left out, because they would be listed, and
// so are names that begin with a dot, which are the build's.
func isPageFile(files fs.FS, name string) bool {
	info, err := fs.Stat(files, name)
	return err == nil && !info.IsDir() && !strings.HasPrefix(name, ".")
}
