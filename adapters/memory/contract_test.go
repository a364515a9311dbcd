package memory_test

import (
	"testing"

	"parley/adapters/memory"
	"parley/ports"
	"parley/ports/portstest"
)

func TestRooms_contract(t *testing.T) {
	portstest.TestRoomStore(t, func(*testing.T) ports.RoomStore { return memory.NewRooms() })
}

func TestLog_contract(t *testing.T) {
	portstest.TestMessageLog(t, func(*testing.T) ports.MessageLog { return memory.NewLog(memory.LogConfig{}) })
}
