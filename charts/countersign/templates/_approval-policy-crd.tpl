{{/*
The CRD of ApprovalPolicies. services/common/approval/policy checks what a schema cannot (templates, CEL, combinations) and reports it in
the condition Ready.
*/}}
{{- define "countersign.approvalPolicyCrd" -}}
{{- $name := "approvalpolicies.approval.countersign.io" }}
{{- if include "countersign.bringsCrd" (dict "root" . "name" $name) }}
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: {{ $name }}
  labels:
    {{- include "countersign.labels" (dict "root" .) | nindent 4 }}
  {{- if .Values.crds.keep }}
  annotations:
    helm.sh/resource-policy: keep
  {{- end }}
spec:
  group: approval.countersign.io
  scope: Cluster
  names:
    kind: ApprovalPolicy
    listKind: ApprovalPolicyList
    plural: approvalpolicies
    singular: approvalpolicy
    shortNames: [apol]
    categories: [countersign]
  versions:
    - name: v1alpha1
      served: true
      storage: true
      subresources:
        status: {}
      additionalPrinterColumns:
        - name: Mode
          type: string
          jsonPath: .spec.mode
        - name: On mismatch
          type: string
          jsonPath: .spec.onMismatch
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
          description: An ApprovalPolicy approves, or denies, CertificateSigningRequests for issuers by what they contain.
          required: [spec]
          properties:
            apiVersion:
              type: string
            kind:
              type: string
            metadata:
              type: object
            spec:
              {{- include "countersign.approvalPolicySpec" . | nindent 14 }}
            status:
              {{- include "countersign.issuerStatusSchema" . | replace "issuer" "policy" | replace "it can sign" "it is in use, or what is wrong with it" | nindent 14 }}
{{- end }}
{{- end }}

{{- define "countersign.approvalPolicySpec" -}}
type: object
required: [signerNames, subjects]
properties:
  mode:
    type: string
    description: "Enforce: approve and deny. DryRun: only report, in an event, what the policy would do."
    enum: [Enforce, DryRun]
    default: Enforce
  onMismatch:
    type: string
    description: >-
      What happens to a selected request that the policy does not allow. Wait: another policy or a person may still approve it. Deny: it is
      denied, even if another policy allows it.
    enum: [Wait, Deny]
    default: Wait
  signerNames:
    type: array
    description: >-
      Signers whose requests the policy selects: issuers.cert-manager.io/<namespace>.<name>, issuers.cert-manager.io/<namespace>.* for all
      Issuers of a namespace, clusterissuers.cert-manager.io/<name>, or the whole signer name of an external issuer.
    minItems: 1
    maxItems: 128
    items:
      type: string
      maxLength: 571
      anyOf:
        - pattern: ^(issuers\.cert-manager\.io/[a-z0-9]([-a-z0-9]*[a-z0-9])?\.(\*|[a-z0-9][-.a-z0-9]*)|clusterissuers\.cert-manager\.io/[a-z0-9][-.a-z0-9]*)$
        # External issuers; never signers of the cluster.
        - pattern: ^[a-z][-a-z0-9]*\.[a-z0-9][-a-z0-9]*\.[a-z0-9][-.a-z0-9]*/[a-z0-9][-.a-z0-9]*$
          not:
            pattern: ^([a-z]+\.cert-manager\.io|[-.a-z0-9]+\.(kubernetes|k8s)\.io)/
  subjects:
    type: array
    description: Requesters whose requests the policy selects. system:authenticated is the group of all users.
    minItems: 1
    maxItems: 128
    items:
      type: object
      required: [kind, name]
      properties:
        kind:
          type: string
          enum: [User, Group, ServiceAccount]
        name:
          type: string
          minLength: 1
          maxLength: 253
        namespace:
          type: string
          description: Namespace of a ServiceAccount.
          maxLength: 63
      x-kubernetes-validations:
        - rule: "(self.kind == 'ServiceAccount') == has(self.namespace)"
          message: a ServiceAccount needs a namespace, and only a ServiceAccount has one
  allowed:
    type: object
    description: >-
      What a request may contain, in the fields of approver-policy's CertificateRequestPolicy. What is not mentioned must be absent. Without
      this field, a policy with onMismatch: Deny is a guard: it denies by constraints and rules, and approves nothing.
    properties:
      commonName:
        {{- include "countersign.allowedString" . | nindent 8 }}
      dnsNames:
        {{- include "countersign.allowedStrings" . | nindent 8 }}
      ipAddresses:
        {{- include "countersign.allowedStrings" . | nindent 8 }}
      uris:
        {{- include "countersign.allowedStrings" . | nindent 8 }}
      emailAddresses:
        {{- include "countersign.allowedStrings" . | nindent 8 }}
      otherNames:
        {{- include "countersign.allowedOids" . | nindent 8 }}
      privateKeySecretNames:
        description: >-
          Secrets that a request for a SelfSigned issuer may name in its annotation private-key-secret-name. Not in CertificateRequestPolicy.
        {{- include "countersign.allowedStrings" . | nindent 8 }}
      isCA:
        type: boolean
        description: Whether CA certificates are allowed.
      nameConstraints:
        type: boolean
        description: Whether the request may carry X.509 name constraints. Not in CertificateRequestPolicy.
      usages:
        type: array
        description: Allowed usages, by their names in spec.usages of a CSR or by object identifier.
        maxItems: 64
        items:
          type: string
          maxLength: 128
      subject:
        type: object
        description: Allowed attributes of the subject, other than the common name.
        properties:
          {{- range list "organizations" "countries" "organizationalUnits" "localities" "provinces" "streetAddresses" "postalCodes" }}
          {{ . }}:
            {{- include "countersign.allowedStrings" $ | nindent 12 }}
          {{- end }}
          serialNumber:
            {{- include "countersign.allowedString" . | nindent 12 }}
          otherAttributes:
            {{- include "countersign.allowedOids" . | nindent 12 }}
  constraints:
    type: object
    description: What a request must satisfy, in the fields of CertificateRequestPolicy. What is not mentioned is not restricted.
    properties:
      minDuration:
        {{- include "countersign.goDuration" . | nindent 8 }}
      maxDuration:
        {{- include "countersign.goDuration" . | nindent 8 }}
      privateKey:
        type: object
        properties:
          algorithm:
            type: string
            enum: [RSA, ECDSA, Ed25519]
          minSize:
            type: integer
            description: Bits.
            minimum: 0
            maximum: 8192
          maxSize:
            type: integer
            description: Bits.
            minimum: 0
            maximum: 8192
  rules:
    description: CEL expressions over the variable request, all of which must be true.
    {{- include "countersign.celRules" . | nindent 4 }}
{{- end }}

{{- define "countersign.goDuration" -}}
type: string
description: A Go duration, such as 720h.
maxLength: 64
pattern: ^([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+$
{{- end }}

{{- define "countersign.celRules" -}}
type: array
maxItems: 16
x-kubernetes-list-type: map
x-kubernetes-list-map-keys: [rule]
items:
  type: object
  required: [rule]
  properties:
    rule:
      type: string
      minLength: 1
      maxLength: 1024
    message:
      type: string
      description: What the rule wants, for the requester.
      maxLength: 256
{{- end }}

{{- define "countersign.valueRule" -}}
required:
  type: boolean
  description: Whether a request needs a value here.
validations:
  description: CEL expressions over self, a value, and cr (name, username, namespace), all of which must be true for every value.
  {{- include "countersign.celRules" . | nindent 2 }}
{{- end }}

{{- define "countersign.pattern" -}}
type: string
maxLength: 1024
{{- end }}

{{- define "countersign.allowedString" -}}
type: object
properties:
  value:
    description: >-
      Allowed value. * matches any characters; {{ "{{namespace}}" }} and {{ "{{serviceAccount}}" }} stand for the requester's ServiceAccount.
    {{- include "countersign.pattern" . | nindent 4 }}
  {{- include "countersign.valueRule" . | nindent 2 }}
{{- end }}

{{- define "countersign.allowedValues" -}}
values:
  type: array
  description: >-
    Allowed values. * matches any characters; {{ "{{namespace}}" }} and {{ "{{serviceAccount}}" }} stand for the requester's ServiceAccount.
  maxItems: 256
  items:
    {{- include "countersign.pattern" . | nindent 4 }}
{{ include "countersign.valueRule" . }}
{{- end }}

{{- define "countersign.allowedStrings" -}}
type: object
properties:
  {{- include "countersign.allowedValues" . | nindent 2 }}
{{- end }}

{{- define "countersign.allowedOids" -}}
type: array
maxItems: 32
x-kubernetes-list-type: map
x-kubernetes-list-map-keys: [oid]
items:
  type: object
  required: [oid]
  properties:
    oid:
      type: string
      description: Object identifier in dotted notation.
      maxLength: 128
      pattern: ^[0-2](\.(0|[1-9][0-9]*))+$
    {{- include "countersign.allowedValues" . | nindent 4 }}
{{- end }}
