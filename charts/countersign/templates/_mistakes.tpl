{{/* Values with which the chart cannot be rendered, or no pod starts. Each message says what to give instead. */}}

{{/*
Refuses to go on without the values that the templates need. A schema would refuse as well, but without saying how they got lost: an
upgrade with --reuse-values leaves out whatever is new in this version, and null takes a value away.
*/}}
{{- define "countersign.refuseMissingValues" -}}
{{- $missing := list }}
{{- range $path := splitList "\n" (include "countersign.neededValues" . | trim) }}
{{- $at := $.Values }}
{{- $isThere := true }}
{{- range $key := splitList "." $path }}
{{- if and $isThere (kindIs "map" $at) (hasKey $at $key) }}
{{- $at = get $at $key }}
{{- else }}
{{- $isThere = false }}
{{- end }}
{{- end }}
{{- if not $isThere }}
{{- $missing = append $missing $path }}
{{- end }}
{{- end }}
{{- if $missing }}
{{- fail (printf "nothing was changed: these values are missing: %s. If this is an upgrade with --reuse-values, use --reset-then-reuse-values instead, which adds the values that are new in this version. Otherwise remove the null that was given for them" (join ", " $missing)) }}
{{- end }}
{{- end }}

{{- define "countersign.neededValues" -}}
commonLabels
logLevel
crds.enabled
crds.keep
rbac.create
rbac.aggregateClusterRoles
policy
admissionPolicy.enabled
networkPolicy.enabled
networkPolicy.apiServer.ports
monitor.kind
monitor.labels
alerts.enabled
alerts.labels
dashboard.enabled
dashboard.labels
{{ range $service := list "signer" "webhook" }}
{{- range list "replicas" "image.repository" "image.pullPolicy" "serviceAccount.create" "podDisruptionBudget.enabled" "podDisruptionBudget.maxUnavailable" "livenessProbe" "readinessProbe" -}}
{{ $service }}.{{ . }}
{{ end }}
{{- end -}}
signer.workers
signer.leaseDuration
signer.issuerStatus
trustBundles.publish
trustBundles.keepRetired
webhook.certificate.mode
webhook.failurePolicy
webhook.timeoutSeconds
webhook.port
webhook.httpPort
webhook.preStopSeconds
{{- end }}

{{- define "countersign.refuseMistakes" -}}
{{- include "countersign.refuseUnreadableDurations" . }}
{{- include "countersign.refuseUrl" . }}
{{- include "countersign.refuseCaBundle" . }}
{{- include "countersign.refuseSubjects" . }}
{{- range list "signer" "webhook" }}
{{- include "countersign.refuseImage" (dict "root" $ "service" .) }}
{{- include "countersign.refusePodLabels" (dict "root" $ "service" .) }}
{{- include "countersign.refusePodNamespaceVariable" (dict "root" $ "service" .) }}
{{- end }}
{{- end }}

{{- define "countersign.refuseUnreadableDurations" -}}
{{- range $name := list "maxDuration" "backdate" }}
{{- $duration := default "" (get $.Values.policy $name) }}
{{- if not (regexMatch `^([0-9]+(\.[0-9]+)?(h|m|s|ms))*$` $duration) }}
{{- fail (printf "policy.%s: %q is not a Go duration: give hours, minutes and seconds, such as 720h (30 days) or 1h30m" $name $duration) }}
{{- end }}
{{- end }}
{{- if not (regexMatch `^([0-9]+m([0-9]+s)?|[0-9]+s)$` .Values.signer.leaseDuration) }}
{{- fail (printf "signer.leaseDuration: %q is not a duration of whole minutes and seconds: give one such as 15s or 1m30s" .Values.signer.leaseDuration) }}
{{- end }}
{{- end }}

{{/* The API server takes nothing but https, and neither user, query nor fragment. */}}
{{- define "countersign.refuseUrl" -}}
{{- $url := default "" .Values.webhook.url }}
{{- if $url }}
{{- if not (hasPrefix "https://" $url) }}
{{- fail (printf "webhook.url: %q does not start with https://, and the API server calls webhooks over TLS only: give https://host:port/validate" $url) }}
{{- end }}
{{- if regexMatch `[?#@\s]` $url }}
{{- fail (printf "webhook.url: %q has a user, a query, a fragment or a space, which the API server refuses: give https://host:port/validate" $url) }}
{{- end }}
{{- if not (regexMatch `^https://[^/]+/[^/]` $url) }}
{{- fail (printf "webhook.url: %q has no path, and the webhook answers at /validate only: give %s/validate" $url (trimSuffix "/" $url)) }}
{{- end }}
{{- end }}
{{- end }}

{{- define "countersign.refuseCaBundle" -}}
{{- $given := default "" .Values.webhook.certificate.caBundle }}
{{- $remedy := "give the CA certificates (PEM) in base64, on one line: base64 < ca.crt | tr -d '\\n'" }}
{{- if not (regexMatch `^[A-Za-z0-9+/]*={0,2}$` $given) }}
{{- fail (printf "webhook.certificate.caBundle is not base64 on one line: %s" $remedy) }}
{{- end }}
{{- $pem := b64dec $given }}
{{- if contains "PRIVATE KEY-----" $pem }}
{{- fail (printf "webhook.certificate.caBundle has a private key in it, which would be shown to everybody who may read the webhook configuration: %s" $remedy) }}
{{- end }}
{{- if and $given (not (contains "-----BEGIN CERTIFICATE-----" $pem)) }}
{{- fail (printf "webhook.certificate.caBundle has no certificate in it: %s" $remedy) }}
{{- end }}
{{- end }}

{{- define "countersign.refuseSubjects" -}}
{{- range $referencer := .Values.referencers }}
{{- range .subjects }}
{{- if and .namespace (ne .kind "ServiceAccount") }}
{{- fail (printf "referencers: %s %q of %s/%s has a namespace, which only a ServiceAccount is in: remove it, or set kind: ServiceAccount" .kind .name $referencer.namespace $referencer.issuer) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* After the last slash a colon begins a tag; before it, a port. */}}
{{- define "countersign.refuseImage" -}}
{{- $repository := (index .root.Values .service).image.repository }}
{{- $name := splitList "/" $repository | last }}
{{- if contains "@" $name }}
{{- fail (printf "%s.image.repository: %q has a digest: put it into %s.image.digest" .service $repository .service) }}
{{- end }}
{{- if contains ":" $name }}
{{- fail (printf "%s.image.repository: %q has a tag: put %s into %s.image.tag" .service $repository (splitList ":" $name | last) .service) }}
{{- end }}
{{- end }}

{{/* Selectors rely on some of the chart's labels, and the monitors on others. */}}
{{- define "countersign.refusePodLabels" -}}
{{- $own := include "countersign.ownLabels" . | fromYaml }}
{{- range $key, $_ := (index .root.Values .service).podLabels }}
{{- if hasKey $own $key }}
{{- fail (printf "%s.podLabels: %s is a label of the chart, by which Services and Deployments find their pods: give it another name, or leave it out" $.service $key) }}
{{- end }}
{{- end }}
{{- end }}

{{- define "countersign.refusePodNamespaceVariable" -}}
{{- range (index .root.Values .service).extraEnv }}
{{- if eq .name "POD_NAMESPACE" }}
{{- fail (printf "%s.extraEnv: the chart sets POD_NAMESPACE itself, to the namespace of the pod: leave it out" $.service) }}
{{- end }}
{{- end }}
{{- end }}
