package bootstrap

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// Run is the program: it serves until SIGINT or SIGTERM. It returns the exit code: 0 after an orderly stop, 1 if the start
// failed or the stop took too long, 2 if the configuration is not allowed.
func Run() int {
	// Otherwise the next line of the log would end the program when whoever reads its standard error is gone.
	signal.Ignore(syscall.SIGPIPE)
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
	stopped := a.Wait() // before Start, so that a signal during it is not lost
	start, cancel := context.WithTimeout(context.Background(), a.StartTimeout())
	defer cancel()
	if err := a.Start(start); err != nil {
		fmt.Fprintln(os.Stderr, "parley:", err)
		_ = a.Stop(start) // ends fx's wait for signals; Start has undone everything else
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
