// The program that holds a pod's namespaces in the node of the end-to-end tests: it does nothing until it is told to end.
// It never reaps other processes, so that it is not for pods whose containers share one process namespace.
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
