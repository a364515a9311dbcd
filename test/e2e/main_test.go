package e2e_test

import (
	"testing"

	"go.uber.org/goleak"
)

// Every test stops the servers it starts, so no goroutine of theirs may be left at the end.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
