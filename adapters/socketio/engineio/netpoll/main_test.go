package netpoll_test

import (
	"testing"

	"go.uber.org/goleak"
)

// A poller's goroutine ends with its last connection.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
