// The command `cmctl x create certificatesigningrequest`, as a program of its own.
package main

import (
	"context"
	"os"

	"github.com/cert-manager/cmctl/v2/pkg/create/certificatesigningrequest"
	"k8s.io/cli-runtime/pkg/genericclioptions"
)

func main() {
	ctx := context.Background()
	streams := genericclioptions.IOStreams{In: os.Stdin, Out: os.Stdout, ErrOut: os.Stderr}
	command := certificatesigningrequest.NewCmdCreateCSR(ctx, streams)
	command.SilenceUsage = true
	if command.ExecuteContext(ctx) != nil {
		os.Exit(1)
	}
}
