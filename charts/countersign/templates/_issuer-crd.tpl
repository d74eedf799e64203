{{/*
Whether this revision brings the CRD `name`: where the cluster has none, and again where this release made it, so that an upgrade
keeps it. Another's (cert-manager's own) is left alone. Without a cluster (helm template) lookup finds nothing, and it is brought.
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
The CRDs that this revision brings or an earlier one brought, one after another: what the revision before rendered is not for a
template to see, so each writes it down on the signer's Deployment. Where nothing is written down it may have been all of them.
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
Refuses an upgrade that could delete a CRD, and every Issuer with it. Helm deletes what the revision before rendered and this one
does not, whoever owns it by now, unless the object in the cluster says keep.
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
{{- fail (printf "nothing was changed: this revision leaves out %s (crds.enabled is false, or another release has them by now). An earlier one brought them, so that Helm would now delete them, and every Issuer with them. Have them kept, then upgrade again: kubectl annotate --overwrite crd %s helm.sh/resource-policy=keep" (join " and " $unkept) (join " " $unkept)) }}
{{- end }}
{{- end }}

{{/*
One CustomResourceDefinition of cert-manager.io/v1, for (dict "root" $ "kind" .. "singular" .. "plural" .. "shortName" ..
"scope" .. "about" ..). Not in crds/: Helm 4 applies what is there over the CRDs of cert-manager.
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

{{/* Fields of cert-manager that Countersign does not read are kept as they are: acme, vault, venafi, and those to come. */}}
{{- define "countersign.issuerSpecSchema" -}}
type: object
description: How certificates are signed. Exactly one type of issuer is given.
x-kubernetes-preserve-unknown-fields: true
properties:
  ca:
    type: object
    description: Signs with a CA certificate and its private key, both kept in a Secret.
    required: [secretName]
    x-kubernetes-preserve-unknown-fields: true
    properties:
      secretName:
        type: string
        description: >-
          Secret with tls.crt, tls.key and, optionally, ca.crt; in the namespace of the Issuer, or in the cluster resource
          namespace for a ClusterIssuer.
      crlDistributionPoints:
        type: array
        description: URLs of the revocation list, written into each certificate.
        items:
          type: string
      ocspServers:
        type: array
        description: URLs of the OCSP responders, written into each certificate.
        items:
          type: string
      issuingCertificateURLs:
        type: array
        description: URLs of the CA's own certificate, written into each certificate.
        items:
          type: string
  selfSigned:
    type: object
    description: Signs each request with the requester's own private key.
    x-kubernetes-preserve-unknown-fields: true
    properties:
      crlDistributionPoints:
        type: array
        description: URLs of the revocation list, written into each certificate.
        items:
          type: string
{{- end }}

{{- define "countersign.issuerStatusSchema" -}}
type: object
description: What the controller last saw; written by the controller only.
x-kubernetes-preserve-unknown-fields: true
properties:
  conditions:
    type: array
    description: Of type Ready is the one that tells whether the issuer can sign.
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
