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
