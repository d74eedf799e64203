{{/*
Whether this revision renders the CRD `name`: if the cluster has none, and if this release owns it, so that an upgrade keeps it. CRDs of
another owner (cert-manager) are left alone. Without a cluster (helm template), lookup finds nothing and the CRD is rendered.
*/}}
{{- define "countersign.bringsCrd" -}}
{{- $found := lookup "apiextensions.k8s.io/v1" "CustomResourceDefinition" "" .name }}
{{- $owner := dig "metadata" "annotations" dict $found }}
{{- $ours := and
  (eq (get $owner "meta.helm.sh/release-name") .root.Release.Name)
  (eq (get $owner "meta.helm.sh/release-namespace") .root.Release.Namespace) }}
{{- if and .root.Values.crds.enabled (or (not $found) $ours) }}true{{ end }}
{{- end }}

{{/*
The CRDs that this or an earlier revision renders, separated by spaces. A template cannot see what the previous revision rendered, so each
revision records it in an annotation of the signer's Deployment. Without the annotation, assume all of them.
*/}}
{{- define "countersign.crdsEverBrought" -}}
{{- $all := list "issuers.cert-manager.io" "clusterissuers.cert-manager.io" }}
{{- $deployment := lookup "apps/v1" "Deployment" .Release.Namespace (include "countersign.componentName" (dict "root" $ "service" "signer")) }}
{{- $before := ternary (join " " $all) "" .Release.IsUpgrade }}
{{- $before = dig "metadata" "annotations" "countersign.io/crds" $before $deployment }}
{{- $names := list }}
{{- range $name := $all }}
{{- if or (include "countersign.bringsCrd" (dict "root" $ "name" $name)) (has $name (splitList " " $before)) }}
{{- $names = append $names $name }}
{{- end }}
{{- end }}
{{- join " " $names }}
{{- end }}

{{/*
Rejects an upgrade that could delete a CRD and every Issuer with it. Helm deletes what the previous revision rendered and this one does
not, even if it has another owner by now, unless the object in the cluster has the annotation keep.
*/}}
{{- define "countersign.refuseToLoseCrds" -}}
{{- $unkept := list }}
{{- range $name := compact (splitList " " (include "countersign.crdsEverBrought" .)) }}
{{- $found := lookup "apiextensions.k8s.io/v1" "CustomResourceDefinition" "" $name }}
{{- $policy := dig "metadata" "annotations" "helm.sh/resource-policy" "" $found }}
{{- if and $found (ne $policy "keep") (not (include "countersign.bringsCrd" (dict "root" $ "name" $name))) }}
{{- $unkept = append $unkept $name }}
{{- end }}
{{- end }}
{{- if and .Release.IsUpgrade $unkept }}
{{- fail (printf "this upgrade would delete the CRDs %s, and with them every Issuer and ClusterIssuer. Nothing was changed. An earlier revision installed the CRDs, and this one does not include them (crds.enabled is false, or another release owns them now). Keep them, then upgrade again: kubectl annotate --overwrite crd %s helm.sh/resource-policy=keep" (join " and " $unkept) (join " " $unkept)) }}
{{- end }}
{{- end }}

{{/*
A CustomResourceDefinition of cert-manager.io/v1, for (dict "root" $ "kind" .. "singular" .. "plural" .. "shortName" ..
"scope" .. "about" ..). Not in crds/, because Helm 4 would overwrite cert-manager's CRDs.
*/}}
{{- define "countersign.issuerCrd" -}}
{{- $name := printf "%s.cert-manager.io" .plural }}
{{- if include "countersign.bringsCrd" (dict "root" .root "name" $name) }}
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: {{ $name | quote }}
  labels:
    {{- include "countersign.labels" (dict "root" .root) | nindent 4 }}
  {{- if .root.Values.crds.keep }}
  annotations:
    helm.sh/resource-policy: keep
  {{- end }}
spec:
  group: cert-manager.io
  scope: {{ .scope }}
  names:
    kind: {{ .kind }}
    listKind: {{ .kind }}List
    plural: {{ .plural }}
    singular: {{ .singular }}
    shortNames: [{{ .shortName }}]
    categories: [cert-manager]
  versions:
    - name: v1
      served: true
      storage: true
      subresources:
        status: {}
      additionalPrinterColumns:
        - name: Ready
          type: string
          jsonPath: .status.conditions[?(@.type == "Ready")].status
        - name: Status
          type: string
          priority: 1
          jsonPath: .status.conditions[?(@.type == "Ready")].message
        - name: Age
          type: date
          jsonPath: .metadata.creationTimestamp
      schema:
        openAPIV3Schema:
          type: object
          description: {{ .about }}
          required: [spec]
          properties:
            apiVersion:
              type: string
            kind:
              type: string
            metadata:
              type: object
            spec:
              {{- include "countersign.issuerSpecSchema" . | nindent 14 }}
            status:
              {{- include "countersign.issuerStatusSchema" . | nindent 14 }}
{{- end }}
{{- end }}

{{/* Preserves cert-manager's fields that Countersign does not read: acme, vault, venafi and future ones. */}}
{{- define "countersign.issuerSpecSchema" -}}
type: object
description: Configuration of the issuer. Set exactly one issuer type.
x-kubernetes-preserve-unknown-fields: true
properties:
  ca:
    type: object
    description: Signs with a CA certificate and private key stored in a Secret.
    required: [secretName]
    x-kubernetes-preserve-unknown-fields: true
    properties:
      secretName:
        type: string
        description: >-
          Name of a Secret with tls.crt, tls.key and, optionally, ca.crt, in the namespace of the Issuer or, for a ClusterIssuer, in
          the cluster resource namespace.
      crlDistributionPoints:
        type: array
        description: URLs of the certificate revocation list, written to each certificate.
        items:
          type: string
      ocspServers:
        type: array
        description: URLs of the OCSP responders, written to each certificate.
        items:
          type: string
      issuingCertificateURLs:
        type: array
        description: URLs of the CA certificate, written to each certificate.
        items:
          type: string
  selfSigned:
    type: object
    description: Signs each request with the requester's own private key.
    x-kubernetes-preserve-unknown-fields: true
    properties:
      crlDistributionPoints:
        type: array
        description: URLs of the certificate revocation list, written to each certificate.
        items:
          type: string
{{- end }}

{{- define "countersign.issuerStatusSchema" -}}
type: object
description: Status of the issuer, set by the controller.
x-kubernetes-preserve-unknown-fields: true
properties:
  conditions:
    type: array
    description: Conditions of the issuer. The condition Ready indicates whether it can sign.
    x-kubernetes-list-type: map
    x-kubernetes-list-map-keys: [type]
    items:
      type: object
      required: [type, status]
      x-kubernetes-preserve-unknown-fields: true
      properties:
        type:
          type: string
        status:
          type: string
          enum: ["True", "False", Unknown]
        reason:
          type: string
        message:
          type: string
        lastTransitionTime:
          type: string
          format: date-time
        observedGeneration:
          type: integer
          format: int64
{{- end }}
