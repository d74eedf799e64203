{{/* What the webhook and the admission policy look at. Both are rendered from here, so that they cannot differ. */}}

{{- define "countersign.matchRules" -}}
- apiGroups: [certificates.k8s.io]
  apiVersions: [v1]
  operations: [CREATE, UPDATE]
  resources: [certificatesigningrequests]
  scope: Cluster
# Metadata can be changed through both of these as well.
- apiGroups: [certificates.k8s.io]
  apiVersions: [v1]
  operations: [UPDATE]
  resources: [certificatesigningrequests/status, certificatesigningrequests/approval]
  scope: Cluster
{{- end }}

{{/* A CEL list: what shapes the certificate, and so is part of the request. */}}
{{- define "countersign.lockedAnnotations" -}}
[
'experimental.cert-manager.io/request-duration',
'experimental.cert-manager.io/request-is-ca',
'experimental.cert-manager.io/private-key-secret-name'
]
{{- end }}

{{- define "countersign.matchConditions" -}}
# What these do not let through is never looked at: the requests of other signers (kubelets), approvals, and the signer's own
# writes. An expression that fails refuses the request, so each must hold for every object.
- name: names-an-issuer
  expression: object.spec.signerName.matches('^[a-z]+\\.cert-manager\\.io/')
- name: created-or-locked-annotation-changed
  expression: >-
    request.operation == 'CREATE' || {{ include "countersign.lockedAnnotations" . | nindent 4 | trim -}}
    .exists(key, object.metadata.?annotations[?key] != oldObject.metadata.?annotations[?key])
{{- end }}
