{{/* Rejects values that would not render or with which no pod would start. Each message says what to set instead. */}}

{{/*
Requires the values that the templates need. The schema could require them too, but could not explain how they got lost: an upgrade with
--reuse-values omits values that are new in this version, and null removes a value.
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
{{- fail (printf "required values are missing: %s. Nothing was changed. If you upgrade with --reuse-values, use --reset-then-reuse-values instead, which adds the values that are new in this version. If you set them to null, remove the null" (join ", " $missing)) }}
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
podCertificates.enabled
podCertificates.trustDomain
podCertificates.clusterDomain
podCertificates.maxDuration
podCertificates.backdate
podCertificates.admissionPolicies.install
podCertificates.admissionPolicies.refusePods
podCertificates.admissionPolicies.warnWorkloads
podCertificates.admissionPolicies.onlyNodes
networkPolicy.enabled
networkPolicy.apiServer.ports
monitor.kind
monitor.labels
alerts.enabled
alerts.labels
dashboard.enabled
dashboard.labels
approver.enabled
delegation.enabled
{{ range $service := splitList " " (include "countersign.services" .) }}
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
{{- if (.Values.approver).enabled }}
approver.workers
approver.leaseDuration
{{- end }}
{{- end }}

{{- define "countersign.refuseMistakes" -}}
{{- include "countersign.refuseUnreadableDurations" . }}
{{- include "countersign.refuseUrl" . }}
{{- include "countersign.refuseCaBundle" . }}
{{- include "countersign.refuseSubjects" . }}
{{- include "countersign.refuseAddresses" . }}
{{- include "countersign.refuseApproverWithoutSigners" . }}
{{- include "countersign.refuseExternalTypes" . }}
{{- include "countersign.refuseUnlistedTypes" . }}
{{- range splitList " " (include "countersign.services" .) }}
{{- include "countersign.refuseImage" (dict "root" $ "service" .) }}
{{- include "countersign.refusePodLabels" (dict "root" $ "service" .) }}
{{- include "countersign.refusePodNamespaceVariable" (dict "root" $ "service" .) }}
{{- end }}
{{- end }}

{{- define "countersign.refuseUnreadableDurations" -}}
{{- range $name := list "maxDuration" "backdate" }}
{{- $duration := default "" (get $.Values.policy $name) }}
{{- if not (regexMatch `^([0-9]+(\.[0-9]+)?(h|m|s|ms))*$` $duration) }}
{{- fail (printf "policy.%s: %q is not a Go duration: use hours, minutes and seconds, such as 720h (30 days) or 1h30m" $name $duration) }}
{{- end }}
{{- end }}
{{- range $name := list "maxDuration" "backdate" }}
{{- $duration := get $.Values.podCertificates $name }}
{{- if not (regexMatch `^([0-9]+(\.[0-9]+)?(h|m|s|ms))+$` $duration) }}
{{- fail (printf "podCertificates.%s: %q is not a Go duration: use hours, minutes and seconds, such as 24h (a day) or 1m30s" $name $duration) }}
{{- end }}
{{- end }}
{{- range $service := list "signer" "approver" }}
{{- $duration := (index $.Values $service).leaseDuration }}
{{- if and (has $service (splitList " " (include "countersign.services" $))) (not (regexMatch `^([0-9]+m([0-9]+s)?|[0-9]+s)$` $duration)) }}
{{- fail (printf "%s.leaseDuration: %q is not a duration in whole minutes and seconds: use for example 15s or 1m30s" $service $duration) }}
{{- end }}
{{- end }}
{{- end }}

{{/* RBAC takes a rule without resourceNames for all names, those of kubernetes.io included. */}}
{{- define "countersign.refuseApproverWithoutSigners" -}}
{{- if and .Values.approver.enabled (not .Values.approver.signerNames) }}
{{- fail "approver.signerNames is empty: name the signers whose CSRs the approver may approve, such as issuers.cert-manager.io/* and clusterissuers.cert-manager.io/*, or set approver.enabled to false" }}
{{- end }}
{{- end }}

{{/* The services reject the same lists, but their pods would only fail to start. */}}
{{- define "countersign.refuseExternalTypes" -}}
{{- $seen := dict }}
{{- range .Values.delegation.externalIssuers }}
{{- if not $.Values.delegation.enabled }}
{{- fail (printf "delegation.externalIssuers: %s has no effect without delegation: set delegation.enabled to true, or remove the entry" .name) }}
{{- end }}
{{- $group := include "countersign.groupOf" .name }}
{{- if or (has $group (list "cert-manager.io" "acme.cert-manager.io")) (regexMatch `(^|\.)(kubernetes|k8s)\.io$` $group) }}
{{- fail (printf "delegation.externalIssuers: %s is in the group %s, which is reserved: list only the types of external issuers" .name $group) }}
{{- end }}
{{- if hasKey $seen .name }}
{{- fail (printf "delegation.externalIssuers: %s is listed twice: remove one entry" .name) }}
{{- end }}
{{- $_ := set $seen .name true }}
{{- end }}
{{- end }}

{{/* The API group of a CustomResourceDefinition, from its name. */}}
{{- define "countersign.groupOf" -}}
{{- splitList "." . | rest | join "." }}
{{- end }}

{{/* A type that is referred to must be in delegation.externalIssuers, with the scope that fits. */}}
{{- define "countersign.refuseUnlistedTypes" -}}
{{- $scopes := dict "issuers.cert-manager.io" "Namespaced" "clusterissuers.cert-manager.io" "Cluster" }}
{{- range .Values.delegation.externalIssuers }}
{{- $_ := set $scopes .name .scope }}
{{- end }}
{{- range $value, $scope := dict "referencers" "Namespaced" "clusterReferencers" "Cluster" }}
{{- range index $.Values $value }}
{{- if and .type (ne $scope (get $scopes .type)) }}
{{- fail (printf "%s: type %s is not in delegation.externalIssuers with the scope %s: add it there, or correct it" $value .type $scope) }}
{{- end }}
{{- end }}
{{- end }}
{{- range .Values.approver.signerNames }}
{{- $type := splitList "/" . | first }}
{{- if not (hasKey $scopes $type) }}
{{- fail (printf "approver.signerNames: %s is of the type %s, which is not in delegation.externalIssuers: add it there, or correct the name" . $type) }}
{{- end }}
{{- end }}
{{- end }}

{{/* The API server accepts only https URLs without user, query or fragment. */}}
{{- define "countersign.refuseUrl" -}}
{{- $url := default "" .Values.webhook.url }}
{{- if $url }}
{{- if not (hasPrefix "https://" $url) }}
{{- fail (printf "webhook.url: %q does not start with https://, but the API server calls webhooks only over TLS: use https://host:port/validate" $url) }}
{{- end }}
{{- if regexMatch `[?#@\s]` $url }}
{{- fail (printf "webhook.url: %q contains a user, a query, a fragment or a space, which the API server rejects: use https://host:port/validate" $url) }}
{{- end }}
{{- if not (regexMatch `^https://[^/]+/[^/]` $url) }}
{{- fail (printf "webhook.url: %q has no path, but the webhook serves only /validate: use %s/validate" $url (trimSuffix "/" $url)) }}
{{- end }}
{{- end }}
{{- end }}

{{- define "countersign.refuseCaBundle" -}}
{{- $given := default "" .Values.webhook.certificate.caBundle }}
{{- $remedy := "set it to the output of: base64 < ca.crt | tr -d '\\n'" }}
{{- if not (regexMatch `^[A-Za-z0-9+/]*={0,2}$` $given) }}
{{- fail (printf "webhook.certificate.caBundle is not base64 on one line: %s" $remedy) }}
{{- end }}
{{- $pem := b64dec $given }}
{{- if contains "PRIVATE KEY-----" $pem }}
{{- fail (printf "webhook.certificate.caBundle contains a private key, which anyone who can read the ValidatingWebhookConfiguration would see. It must contain only CA certificates: %s" $remedy) }}
{{- end }}
{{- if and $given (not (contains "-----BEGIN CERTIFICATE-----" $pem)) }}
{{- fail (printf "webhook.certificate.caBundle contains no PEM certificate: %s" $remedy) }}
{{- end }}
{{- end }}

{{- define "countersign.refuseSubjects" -}}
{{- range $referencer := .Values.referencers }}
{{- range .subjects }}
{{- if and .namespace (ne .kind "ServiceAccount") }}
{{- fail (printf "referencers: subject %s %q of Issuer %s/%s has a namespace, but only ServiceAccounts are namespaced: remove the namespace, or set kind: ServiceAccount" .kind .name $referencer.namespace $referencer.issuer) }}
{{- end }}
{{- end }}
{{- end }}
{{- range $referencer := .Values.clusterReferencers }}
{{- range .subjects }}
{{- if and .namespace (ne .kind "ServiceAccount") }}
{{- fail (printf "clusterReferencers: subject %s %q of ClusterIssuer %s has a namespace, but only ServiceAccounts are namespaced: remove the namespace, or set kind: ServiceAccount" .kind .name $referencer.issuer) }}
{{- end }}
{{- if and (eq .kind "ServiceAccount") (not .namespace) }}
{{- fail (printf "clusterReferencers: subject ServiceAccount %q of ClusterIssuer %s has no namespace, and a ClusterIssuer has none to default to: add the namespace of the ServiceAccount" .name $referencer.issuer) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- define "countersign.refuseAddresses" -}}
{{- $v4 := `[0-9]{1,3}(\.[0-9]{1,3}){3}/([0-9]|[12][0-9]|3[0-2])` }}
{{- $v6 := `[0-9a-fA-F.]*:[0-9a-fA-F.:]*/([0-9]|[1-9][0-9]|1[01][0-9]|12[0-8])` }}
{{- range .Values.networkPolicy.apiServer.cidrs }}
{{- if not (regexMatch (printf "^(%s|%s)$" $v4 $v6) .) }}
{{- fail (printf "networkPolicy.apiServer.cidrs: %q is not a CIDR: use an address and a prefix length, such as 10.0.0.1/32 or fd00::1/128" .) }}
{{- end }}
{{- end }}
{{- end }}

{{/* A colon after the last slash starts a tag; before it, a port. */}}
{{- define "countersign.refuseImage" -}}
{{- $repository := (index .root.Values .service).image.repository }}
{{- $name := splitList "/" $repository | last }}
{{- if contains "@" $name }}
{{- fail (printf "%s.image.repository: %q contains a digest: set %s.image.digest instead" .service $repository .service) }}
{{- end }}
{{- if contains ":" $name }}
{{- fail (printf "%s.image.repository: %q contains a tag: set %s.image.tag to %q instead" .service $repository .service (splitList ":" $name | last)) }}
{{- end }}
{{- end }}

{{/* Selectors depend on some of the chart's labels, monitors on others. */}}
{{- define "countersign.refusePodLabels" -}}
{{- $own := include "countersign.ownLabels" . | fromYaml }}
{{- range $key, $_ := (index .root.Values .service).podLabels }}
{{- if hasKey $own $key }}
{{- fail (printf "%s.podLabels: the chart sets the label %s itself, and Services, Deployments and monitors select pods by such labels: rename or remove it" $.service $key) }}
{{- end }}
{{- end }}
{{- end }}

{{- define "countersign.refusePodNamespaceVariable" -}}
{{- range (index .root.Values .service).extraEnv }}
{{- if eq .name "POD_NAMESPACE" }}
{{- fail (printf "%s.extraEnv: the chart sets POD_NAMESPACE to the pod's namespace: remove it" $.service) }}
{{- end }}
{{- end }}
{{- end }}
