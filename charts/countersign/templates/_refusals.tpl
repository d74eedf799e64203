{{/* Rejects, before anything is changed, what would fail or do harm in this cluster. refuseToLoseCrds is in _issuer-crd.tpl. */}}

{{/*
Rejects a second release in the cluster. Both would sign every request, and would overwrite each other's Ready conditions of ClusterIssuers
indefinitely, because each reads the Secrets in its own namespace. Without a cluster (helm template), lookup finds nothing.
*/}}
{{- define "countersign.refuseSecondRelease" -}}
{{- $own := include "countersign.componentName" (dict "root" . "service" "webhook") }}
{{- $found := dict }}
{{- if .Release.IsInstall }}
{{- $found = lookup "admissionregistration.k8s.io/v1" "ValidatingWebhookConfiguration" "" "" }}
{{- end }}
{{- range $found.items }}
{{- $name := .metadata.name }}
{{- $owner := default dict .metadata.annotations }}
{{- $other := printf "release %s in namespace %s" (get $owner "meta.helm.sh/release-name") (get $owner "meta.helm.sh/release-namespace") }}
{{- if not (hasKey $owner "meta.helm.sh/release-name") }}
{{- $other = printf "the owner of ValidatingWebhookConfiguration %s" $name }}
{{- end }}
{{- range .webhooks }}
{{- if and (eq .name "requests.countersign.io") (ne $name $own) }}
{{- fail (printf "Countersign is already installed by %s and serves the whole cluster. Nothing was installed: two releases would both sign every request and overwrite each other's Ready conditions of ClusterIssuers. Upgrade the existing release, or uninstall it first" $other) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/*
Rejects a new nameOverride while the Deployments keep their names. A Deployment's selector is immutable, but a Service's is not and is
updated first: the Services would be left without pods.
*/}}
{{- define "countersign.refuseOtherSelector" -}}
{{- $name := include "countersign.componentName" (dict "root" . "service" "webhook") }}
{{- $deployment := lookup "apps/v1" "Deployment" .Release.Namespace $name }}
{{- $before := dig "spec" "selector" "matchLabels" "app.kubernetes.io/name" "" $deployment }}
{{- $now := include "countersign.name" . }}
{{- if and .Release.IsUpgrade $before (ne $before $now) }}
{{- fail (printf "nameOverride cannot change from %q to %q while the Deployments keep their names, because the selector of a Deployment is immutable. Nothing was changed. Restore the previous nameOverride, or uninstall the release first" $before $now) }}
{{- end }}
{{- end }}

{{/* Rejects durations with which no pod would start: the services enforce the same limits. */}}
{{- define "countersign.refuseOutOfBounds" -}}
{{- $least := int (include "countersign.milliseconds" "10m") }}
{{- $maxDuration := int (include "countersign.milliseconds" .Values.policy.maxDuration) }}
{{- if and $maxDuration (lt $maxDuration $least) }}
{{- fail (printf "policy.maxDuration: %s is below 10m, the minimum duration of a certificate: increase it, or leave it empty for no limit" .Values.policy.maxDuration) }}
{{- end }}
{{- if gt (int (include "countersign.milliseconds" .Values.policy.backdate)) (int (include "countersign.milliseconds" "24h")) }}
{{- fail (printf "policy.backdate: %s is above the maximum of 24h: reduce it" .Values.policy.backdate) }}
{{- end }}
{{- range $service := without (splitList " " (include "countersign.services" .)) "webhook" }}
{{- $leaseDuration := (index $.Values $service).leaseDuration }}
{{- $ms := int (include "countersign.milliseconds" $leaseDuration) }}
{{- if or (lt $ms 5000) (gt $ms 300000) }}
{{- fail (printf "%s.leaseDuration: %s is out of range: use 5s to 5m" $service $leaseDuration) }}
{{- end }}
{{- end }}
{{- if .Values.podCertificates.enabled }}
{{- include "countersign.refusePodDurations" . }}
{{- end }}
{{- end }}

{{/* The limits of the API server for PodCertificateRequests, which has whole seconds. */}}
{{- define "countersign.refusePodDurations" -}}
{{- $bounds := dict "maxDuration" (list "1h" "2184h") "backdate" (list "0s" "4m") }}
{{- range $name, $bound := $bounds }}
{{- $duration := get $.Values.podCertificates $name }}
{{- $milliseconds := int (include "countersign.milliseconds" $duration) }}
{{- if mod $milliseconds 1000 }}
{{- fail (printf "podCertificates.%s: %s has a fraction of a second: use whole seconds" $name $duration) }}
{{- end }}
{{- $least := int (include "countersign.milliseconds" (index $bound 0)) }}
{{- $most := int (include "countersign.milliseconds" (index $bound 1)) }}
{{- if or (lt $milliseconds $least) (gt $milliseconds $most) }}
{{- fail (printf "podCertificates.%s: %s is out of range: use %s to %s" $name $duration (index $bound 0) (index $bound 1)) }}
{{- end }}
{{- end }}
{{- end }}

{{/* A Go duration in milliseconds, 0 if empty. Sprig cannot parse durations, but can add one to a date. */}}
{{- define "countersign.milliseconds" -}}
{{- (dateModify (default "0s" .) (toDate "2006-01-02 MST" "1970-01-01 UTC")).UnixMilli }}
{{- end }}

{{/*
Rejects a namespace that does not exist: creating its Role would fail halfway through, after the ClusterRole has lost the right to read
Secrets. Skipped without a cluster (helm template) and if the release namespace does not exist yet.
*/}}
{{- define "countersign.refuseMissingNamespaces" -}}
{{- $given := dict "signer.secretNamespaces" .Values.signer.secretNamespaces "referencers" list "vaultServiceAccounts" list }}
{{- range .Values.vaultServiceAccounts }}
{{- $_ := set $given "vaultServiceAccounts" (append $given.vaultServiceAccounts .namespace) }}
{{- end }}
{{- range .Values.referencers }}
{{- $_ := set $given "referencers" (append $given.referencers .namespace) }}
{{- end }}
{{- if and (or .Values.signer.secretNamespaces .Values.referencers .Values.vaultServiceAccounts) (lookup "v1" "Namespace" "" .Release.Namespace) }}
{{- range $value, $namespaces := $given }}
{{- range $namespaces }}
{{- if not (lookup "v1" "Namespace" "" .) }}
{{- fail (printf "namespace %q in %s does not exist. Nothing was changed. Create it first (kubectl create namespace %s), or remove it from %s" . $value . $value) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
