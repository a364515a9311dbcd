package bootstrap

import (
	"testing"

	"go.uber.org/mock/gomock"

	"parley/domain"
	"parley/mocks"
)

func TestFanout(t *testing.T) {
	control := gomock.NewController(t)
	first, second := mocks.NewMockBroadcaster(control), mocks.NewMockBroadcaster(control)
	to := []domain.SessionID{"a", "b"}
	for _, e := range []domain.Event{domain.TypingChanged{User: "ann"}, domain.MessageSent{}} {
		gomock.InOrder(
			first.EXPECT().Broadcast(to, domain.SessionID("b"), e),
			second.EXPECT().Broadcast(to, domain.SessionID("b"), e),
		)
		fanout{first, second}.Broadcast(to, "b", e)
	}
}
