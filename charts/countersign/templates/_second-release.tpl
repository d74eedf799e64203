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
