package bootstrap

import (
	"testing"

	"go.uber.org/mock/gomock"

	"parley/domain"
	"parley/mocks"
)

// mockHub is a hub of two mocks.
type mockHub struct {
	*mocks.MockBroadcaster
	*mocks.MockDisconnector
}

func newMockHub(control *gomock.Controller) mockHub {
	return mockHub{mocks.NewMockBroadcaster(control), mocks.NewMockDisconnector(control)}
}

func TestFanout(t *testing.T) {
	control := gomock.NewController(t)
	first, second := newMockHub(control), newMockHub(control)
	to := []domain.SessionID{"a", "b"}
	for _, e := range []domain.Event{domain.TypingChanged{User: "ann"}, domain.MessageSent{}} {
		gomock.InOrder(
			first.MockBroadcaster.EXPECT().Broadcast(to, domain.SessionID("b"), e),
			second.MockBroadcaster.EXPECT().Broadcast(to, domain.SessionID("b"), e),
		)
		fanout{first, second}.Broadcast(to, "b", e)
	}
	first.MockDisconnector.EXPECT().Disconnect(domain.SessionID("a"), domain.SessionID("b"))
	second.MockDisconnector.EXPECT().Disconnect(domain.SessionID("a"), domain.SessionID("b"))
	fanout{first, second}.Disconnect(to...)
}
