// Command cert-manager runs cert-manager's own controllers or its admission webhook outside a cluster, for tests. The
// path of this module lies below cert-manager's, as that of its own commands does, since the webhook is internal.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		log.Fatalf("cert-manager: %v", err)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("usage: cert-manager controllers|webhook [flags]")
	}
	switch args[0] {
	case "controllers":
		return runControllers(ctx, args[1:])
	case "webhook":
		return runWebhook(ctx, args[1:])
	default:
		return fmt.Errorf("unknown command %q", args[0])
	}
}
