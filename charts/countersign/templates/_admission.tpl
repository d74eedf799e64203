{{/* Match rules and conditions of both the webhook and the admission policy, so that they cannot differ. */}}

{{- define "countersign.matchRules" -}}
- apiGroups: [certificates.k8s.io]
  apiVersions: [v1]
  operations: [CREATE, UPDATE]
  resources: [certificatesigningrequests]
  scope: Cluster
# Metadata can also be changed through these subresources.
- apiGroups: [certificates.k8s.io]
  apiVersions: [v1]
  operations: [UPDATE]
  resources: [certificatesigningrequests/status, certificatesigningrequests/approval]
  scope: Cluster
{{- end }}

{{/* A CEL list of the annotations that are part of the request, because they shape the certificate. */}}
{{- define "countersign.lockedAnnotations" -}}
[
'experimental.cert-manager.io/request-duration',
'experimental.cert-manager.io/request-is-ca',
'experimental.cert-manager.io/private-key-secret-name'
]
{{- end }}

{{- define "countersign.matchConditions" -}}
# These exclude requests for other signers (kubelets), approvals, and the signer's own writes. An expression that fails to evaluate
# rejects the request, so each must evaluate for every object.
- name: names-an-issuer
  {{- $external := list }}
  {{- range .Values.delegation.externalIssuers }}
  {{- $external = append $external (printf "'%s/'" .name) }}
  {{- end }}
  {{- if $external }}
  expression: >-
    object.spec.signerName.matches('^[a-z]+\\.cert-manager\\.io/')
    || [{{ join ", " $external }}].exists(type, object.spec.signerName.startsWith(type))
  {{- else }}
  expression: object.spec.signerName.matches('^[a-z]+\\.cert-manager\\.io/')
  {{- end }}
- name: created-or-locked-annotation-changed
  expression: >-
    request.operation == 'CREATE' || {{ include "countersign.lockedAnnotations" . | nindent 4 | trim -}}
    .exists(key, object.metadata.?annotations[?key] != oldObject.metadata.?annotations[?key])
{{- end }}
