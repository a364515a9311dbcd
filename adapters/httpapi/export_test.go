package httpapi

import "github.com/labstack/echo/v4"

// Routes returns all that is registered.
func Routes(a *API) []*echo.Route {
	all := a.echo.Routes()
	if a.backend != nil {
		all = append(all, a.backend.Routes()...)
	}
	return all
}
