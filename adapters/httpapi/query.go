package httpapi

import (
	"net/url"
	"slices"
	"strconv"

	"github.com/labstack/echo/v4"

	"parley/domain"
)

// How many entries a list has, by default and at most.
const (
	defaultLimit = 100
	maxLimit     = 1000
)

// knownQuery refuses parameters that the route does not know, that are empty or that are repeated.
func knownQuery(names []string) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			query, err := url.ParseQuery(c.Request().URL.RawQuery)
			if err != nil {
				return domain.Errorf(domain.CodeInvalidPayload, "the query is not encoded well")
			}
			for name, values := range query {
				if !slices.Contains(names, name) {
					return domain.Errorf(domain.CodeInvalidPayload, "the query parameter %q is not known here", clip(name))
				}
				if values[0] == "" {
					return domain.Errorf(domain.CodeInvalidPayload, "the query parameter %s is empty", name)
				}
				if len(values) > 1 {
					return domain.Errorf(domain.CodeInvalidPayload, "the query parameter %s is there twice", name)
				}
			}
			return next(c)
		}
	}
}

// queryLimit returns how many entries of a list are wanted.
func queryLimit(c echo.Context) (int, error) {
	raw := c.QueryParam("limit")
	if raw == "" {
		return defaultLimit, nil
	}
	limit, err := strconv.ParseUint(raw, 10, 31)
	if err != nil || limit < 1 || limit > maxLimit {
		return 0, domain.Errorf(domain.CodeInvalidPayload, "limit must be a whole number from 1 to %d", maxLimit)
	}
	return int(limit), nil
}

// querySeq returns the seq in the parameter; nil if there is none.
func querySeq(c echo.Context, name string) (*uint64, error) {
	raw := c.QueryParam(name)
	if raw == "" {
		return nil, nil
	}
	seq, err := strconv.ParseUint(raw, 10, 64)
	if err != nil {
		return nil, domain.Errorf(domain.CodeInvalidPayload, "%s must be a whole number, 0 or more", name)
	}
	return &seq, nil
}

// page cuts a list to limit entries. It was asked for with one entry more: if that came, there is a next page, and next
// is the id after which it begins.
func page[T any](all []T, limit int, id func(T) string) (entries []T, next string) {
	if len(all) <= limit {
		return all, ""
	}
	return all[:limit], id(all[limit-1])
}
