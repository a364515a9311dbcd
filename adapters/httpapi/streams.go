package httpapi

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"parley/domain"
	"parley/ports"
)

// stream tells where a message that is being written stands.
type stream struct {
	MessageID string `json:"messageId"`
	// Next is the index of the next chunk.
	Next int `json:"next"`
}

func newStream(s ports.Stream) stream { return stream{MessageID: string(s.Message), Next: s.Next} }

// openStream answers 200 rather than 201 if the stream has more chunks than this request put there: then it was open
// before, and the backend goes on from next.
func (b *backend) openStream(c echo.Context, p ports.Publish) error {
	s, err := b.app.OpenStream(c.Request().Context(), p)
	if err != nil {
		return err
	}
	begun := 0
	if p.Content != "" {
		begun = 1
	}
	status := http.StatusCreated
	if s.Next > begun {
		status = http.StatusOK
	}
	return c.JSON(status, newStream(s))
}

// chunkRequest appends to a message, completes it, or does both.
type chunkRequest struct {
	Index *uint32 `json:"index"`
	Delta string  `json:"delta"`
	// Final completes the message.
	Final bool `json:"final"`
}

// appends reports whether there is something to append. A request without a text that does not complete the message
// either counts as an append, so that the missing text is refused.
func (r chunkRequest) appends() bool { return r.Delta != "" || !r.Final }

func (r chunkRequest) chunk() (domain.Chunk, error) {
	if r.Index == nil {
		return domain.Chunk{}, domain.Errorf(domain.CodeInvalidPayload, "index is missing")
	}
	return domain.Chunk{Index: int(*r.Index), Delta: r.Delta}, nil
}

func (b *backend) chunk(c echo.Context) error {
	conversation, message, err := pathMessage(c)
	if err != nil {
		return err
	}
	r, err := readBody[chunkRequest](c, b.maxBody)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	chunks := ports.AnyChunks
	if r.Index != nil {
		chunks = int(*r.Index)
	}
	if r.appends() {
		chunk, err := r.chunk()
		if err != nil {
			return err
		}
		s, err := b.app.AppendStream(ctx, conversation, message, chunk)
		if err != nil {
			return err
		}
		if !r.Final {
			return c.JSON(http.StatusOK, newStream(s))
		}
		chunks++
	}
	accepted, err := b.app.CloseStream(ctx, conversation, message, chunks)
	if err != nil {
		return err
	}
	return answerReceipt(c, accepted)
}

func (b *backend) abort(c echo.Context) error {
	conversation, message, err := pathMessage(c)
	if err != nil {
		return err
	}
	if err := b.app.AbortStream(c.Request().Context(), conversation, message); err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}
