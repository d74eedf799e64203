// Command podpeer is what runs in the pods of the end-to-end tests. mtlsserver and mtlsclient are those of Kubernetes' own conformance
// tests, unchanged; both read their files when they start or poll. exchange talks to itself through a Service all the time.
package main

import (
	"os"

	"github.com/spf13/cobra"
	"k8s.io/kubernetes/test/images/agnhost/mtlsclient"
	"k8s.io/kubernetes/test/images/agnhost/mtlsserver"
)

func main() {
	root := &cobra.Command{Use: "podpeer", SilenceUsage: true}
	root.AddCommand(mtlsserver.CmdMtlsServer, mtlsclient.CmdMtlsClient, exchangeCommand())
	if root.Execute() != nil {
		os.Exit(1)
	}
}
