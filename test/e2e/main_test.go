package e2e_test

import (
	"testing"

	"go.uber.org/goleak"
)

// Every server that a test started was stopped by it: nothing of one may still run.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
