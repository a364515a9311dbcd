package httpapi

import (
	"embed"
	"io/fs"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"parley/domain"
)

// page is the built chat page. The folder holds nothing but a marker until `make web` has run.
//
//go:embed all:web/dist
var page embed.FS

const pageMissing = "The chat page is not part of this binary: build it with `make run` or `make build`.\n" +
	"Everything else is served.\n"

// Dev is what only dev mode serves: tokens for everyone and the chat page.
type Dev struct {
	// Sign makes a token that lets the user into every conversation.
	Sign func(user domain.UserID) (token string, expiresAt time.Time, err error)
}

type tokenRequest struct {
	UserID string `json:"userId"`
}

type tokenResponse struct {
	Token     string    `json:"token"`
	ExpiresAt time.Time `json:"expiresAt"`
}

func (d *Dev) routes(g *echo.Group) {
	g.POST("/dev/token", d.token)
	serve := servePage()
	g.GET("/", serve) // Echo's own "not found" of the group would win over the next line
	g.GET("/*", serve)
}

func (d *Dev) token(c echo.Context) error {
	var r tokenRequest
	if err := c.Bind(&r); err != nil {
		return domain.Errorf(domain.CodeInvalidPayload, `the body must be JSON: {"userId": "…"}`)
	}
	user, err := domain.ParseUserID(r.UserID)
	if err != nil {
		return err
	}
	token, expiresAt, err := d.Sign(user)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, tokenResponse{token, expiresAt.UTC().Truncate(time.Millisecond)})
}

func servePage() echo.HandlerFunc {
	files, err := fs.Sub(page, "web/dist")
	if err != nil {
		panic("httpapi: " + err.Error()) // the folder is embedded above
	}
	if _, err := fs.Stat(files, "index.html"); err != nil {
		return func(c echo.Context) error {
			if c.Request().URL.Path != "/" {
				return echo.ErrNotFound
			}
			return c.String(http.StatusOK, pageMissing)
		}
	}
	server := http.FileServerFS(files)
	return func(c echo.Context) error {
		path := c.Request().URL.Path
		if path != "/" {
			if _, err := fs.Stat(files, path[1:]); err != nil {
				return echo.ErrNotFound
			}
		}
		server.ServeHTTP(c.Response(), c.Request())
		return nil
	}
}
