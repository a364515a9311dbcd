package bootstrap

import (
	"context"
	"fmt"
	"os"
)

// Run is the program: it serves until SIGINT or SIGTERM and returns the exit code.
func Run() int {
	config, err := LoadConfig(nil)
	if err != nil {
		fmt.Fprintln(os.Stderr, "parley:", err)
		return 2
	}
	app, err := New(config, os.Stderr)
	if err != nil {
		fmt.Fprintln(os.Stderr, "parley:", err)
		return 1
	}
	return app.run()
}

func (a *App) run() int {
	stopped := a.Wait() // before Start, so that a signal that comes meanwhile is not lost
	start, cancel := context.WithTimeout(context.Background(), a.StartTimeout())
	defer cancel()
	if err := a.Start(start); err != nil {
		fmt.Fprintln(os.Stderr, "parley:", err)
		_ = a.Stop(start) // ends the wait for signals; all else has been undone
		return 1
	}
	<-stopped
	stop, cancel := context.WithTimeout(context.Background(), a.StopTimeout())
	defer cancel()
	if err := a.Stop(stop); err != nil {
		fmt.Fprintln(os.Stderr, "parley: stopped by force:", err)
		return 1
	}
	return 0
}
