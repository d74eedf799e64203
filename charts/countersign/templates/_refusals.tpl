{{/* What cannot go well and is refused before anything is changed. refuseToLoseCrds is in _issuer-crd.tpl. */}}

{{/*
Refuses to be installed beside another release. Both would sign each request, and each write the Ready condition of ClusterIssuers by
the Secrets of its own namespace, in turn and without end. Without a cluster (helm template) lookup finds nothing.
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
{{- $other = printf "whoever made ValidatingWebhookConfiguration %s" $name }}
{{- end }}
{{- range .webhooks }}
{{- if and (eq .name "requests.countersign.io") (ne $name $own) }}
{{- fail (printf "nothing was installed: %s serves the whole cluster already. Two would both sign each request, and write the Ready conditions of ClusterIssuers in turn: upgrade that one, or uninstall it first" $other) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/*
Refuses another name for the pods of Deployments that keep their names. The selector of a Deployment cannot change, that of a Service
can and does before the Deployment is refused: the Services would be left without pods.
*/}}
{{- define "countersign.refuseOtherSelector" -}}
{{- $name := include "countersign.componentName" (dict "root" . "service" "webhook") }}
{{- $deployment := lookup "apps/v1" "Deployment" .Release.Namespace $name }}
{{- $before := dig "spec" "selector" "matchLabels" "app.kubernetes.io/name" "" $deployment }}
{{- $now := include "countersign.name" . }}
{{- if and .Release.IsUpgrade $before (ne $before $now) }}
{{- fail (printf "nothing was changed: nameOverride cannot make %q of %q in a release whose Deployments keep their names, since the selector of a Deployment is immutable. Set nameOverride as it was, or uninstall the release first" $now $before) }}
{{- end }}
{{- end }}

{{/* Refuses durations with which no pod starts: the services hold them to the same bounds. */}}
{{- define "countersign.refuseOutOfBounds" -}}
{{- $least := int (include "countersign.milliseconds" "10m") }}
{{- $maxDuration := int (include "countersign.milliseconds" .Values.policy.maxDuration) }}
{{- if and $maxDuration (lt $maxDuration $least) }}
{{- fail (printf "policy.maxDuration: %s is less than 10m, the least that a certificate may be asked for: give more, or nothing for any duration" .Values.policy.maxDuration) }}
{{- end }}
{{- if gt (int (include "countersign.milliseconds" .Values.policy.backdate)) (int (include "countersign.milliseconds" "24h")) }}
{{- fail (printf "policy.backdate: %s is more than 24h, the most that a certificate may begin before its signature: give less" .Values.policy.backdate) }}
{{- end }}
{{- $leaseDuration := int (include "countersign.milliseconds" .Values.signer.leaseDuration) }}
{{- if or (lt $leaseDuration 5000) (gt $leaseDuration 300000) }}
{{- fail (printf "signer.leaseDuration: %s is not between 5s and 5m: give a duration within these bounds" .Values.signer.leaseDuration) }}
{{- end }}
{{- end }}

{{/* A Go duration in milliseconds; 0 for none. Sprig has no function for it, but moves dates by one. */}}
{{- define "countersign.milliseconds" -}}
{{- (dateModify (default "0s" .) (toDate "2006-01-02 MST" "1970-01-01 UTC")).UnixMilli }}
{{- end }}

{{/*
Refuses a namespace that is not there: its Role would be refused halfway through, after the ClusterRole has lost the right to read
Secrets. Without a cluster (helm template), and for a first release in a namespace of its own, lookup finds nothing.
*/}}
{{- define "countersign.refuseMissingNamespaces" -}}
{{- $given := dict "signer.secretNamespaces" .Values.signer.secretNamespaces "referencers" list }}
{{- range .Values.referencers }}
{{- $_ := set $given "referencers" (append $given.referencers .namespace) }}
{{- end }}
{{- if and (or .Values.signer.secretNamespaces .Values.referencers) (lookup "v1" "Namespace" "" .Release.Namespace) }}
{{- range $value, $namespaces := $given }}
{{- range $namespaces }}
{{- if not (lookup "v1" "Namespace" "" .) }}
{{- fail (printf "nothing was changed: %s has the namespace %q, which does not exist: create it first, or leave it out" $value .) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
