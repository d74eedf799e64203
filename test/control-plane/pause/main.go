// Holds the namespaces of a pod in the end-to-end tests: waits until it is terminated. It does not reap other
// processes, so it is not suitable for pods with a shared process namespace.
package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGINT, syscall.SIGTERM)
	<-end
}
