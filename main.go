// Parley is a Socket.IO chat and broadcast server.
package main

import (
	"os"

	"parley/bootstrap"
)

func main() {
	os.Exit(bootstrap.Run())
}
