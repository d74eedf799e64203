package main

import (
	"context"
	"flag"

	"github.com/cert-manager/cert-manager/internal/apis/config/shared"
	"github.com/cert-manager/cert-manager/internal/webhook"
	logf "github.com/cert-manager/cert-manager/pkg/logs"
	"github.com/cert-manager/cert-manager/pkg/webhook/options"
)

func runWebhook(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("webhook", flag.ContinueOnError)
	kubeconfig := flags.String("kubeconfig", "", "path to a kubeconfig")
	cert := flags.String("tls-cert", "", "path to the serving certificate")
	key := flags.String("tls-key", "", "path to its private key")
	port := flags.Int("port", 0, "HTTPS port")
	healthPort := flags.Int("healthz-port", 0, "HTTP port of /healthz and /livez")
	if err := flags.Parse(args); err != nil {
		return err
	}
	config, err := options.NewWebhookConfiguration()
	if err != nil {
		return err
	}
	config.KubeConfig = *kubeconfig
	config.SecurePort = int32(*port)
	config.HealthzPort = int32(*healthPort)
	config.TLSConfig.Filesystem = shared.FilesystemServingConfig{CertFile: *cert, KeyFile: *key}
	config.MetricsListenAddress = "127.0.0.1:0"
	server, err := webhook.NewCertManagerWebhookServer(logf.Log, *config)
	if err != nil {
		return err
	}
	return server.Run(ctx)
}
