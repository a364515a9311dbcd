package bootstrap_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"parley/bootstrap"
)

func TestTicker(t *testing.T) {
	t.Run("calls at regular times until it is stopped", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			var calls []time.Duration
			ticker := bootstrap.NewTicker(time.Minute, func(now time.Time) { calls = append(calls, now.Sub(start)) })
			ticker.Start()
			<-time.After(3*time.Minute + time.Second)
			ticker.Stop()
			<-time.After(time.Hour)
			assert.Equal(t, []time.Duration{time.Minute, 2 * time.Minute, 3 * time.Minute}, calls)
		})
	})

	t.Run("never calls twice at a time, and waits for a call when it is stopped", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			begun, done := 0, 0
			ticker := bootstrap.NewTicker(time.Second, func(time.Time) {
				begun++
				<-time.After(2500 * time.Millisecond)
				done++
			})
			ticker.Start()
			<-time.After(4 * time.Second)
			ticker.Stop()
			assert.Equal(t, 2, begun)
			assert.Equal(t, 2, done)
		})
	})

	t.Run("stopped before its time calls nothing", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ticker := bootstrap.NewTicker(time.Second, func(time.Time) { t.Error("called") })
			ticker.Start()
			ticker.Stop()
			<-time.After(time.Minute)
		})
	})
}
