{{/*
The rules on pods that name an issuer in a podCertificate source, in CEL: one text for pods and for the templates of workloads.
Takes "spec", the path of the PodSpec, which must be there. Each expression holds for every valid object: one that fails denies.
*/}}

{{/* Whether the policies for pods are installed: by default where the API server has PodCertificateRequests. */}}
{{- define "countersign.hasPodPolicies" -}}
{{- $mode := .Values.podCertificates.admissionPolicies.install }}
{{- $isServed := .Capabilities.APIVersions.Has "certificates.k8s.io/v1/PodCertificateRequest" }}
{{- if and .Values.podCertificates.enabled (or (eq $mode "always") (and (eq $mode "auto") $isServed)) }}true{{ end }}
{{- end }}

{{- define "countersign.podSources" -}}
{{ .spec }}.?volumes.orValue([]).map(v, v.?projected.?sources.orValue([])
.filter(s, has(s.podCertificate) && s.podCertificate.signerName.matches('^[a-z]+\\.cert-manager\\.io/')))
{{- end }}

{{- define "countersign.namesIssuerInPod" -}}
- name: names-an-issuer
  expression: >-
    {{ .spec }}.?volumes.orValue([]).exists(v, v.?projected.?sources.orValue([])
    .exists(s, has(s.podCertificate) && s.podCertificate.signerName.matches('^[a-z]+\\.cert-manager\\.io/')))
{{- end }}

{{- define "countersign.podVariables" -}}
- name: account
  expression: "{{ .spec }}.?serviceAccountName.orValue('default')"
- name: sources
  expression: >-
    {{ include "countersign.podSources" . | nindent 4 | trim }}.flatten().map(s, s.podCertificate)
# Lists side by side: CEL has no type for a list of objects of ours.
- name: signers
  expression: variables.sources.map(s, s.signerName).distinct()
- name: resources
  expression: >-
    variables.signers.map(s, s.startsWith('issuers.') ? 'signers' : 'clusterissuers')
- name: namespaces
  expression: >-
    variables.signers.map(s, s.startsWith('issuers.') ? s.substring(s.indexOf('/') + 1).split('.', 2)[0] : '')
- name: names
  expression: >-
    variables.signers.map(s, s.startsWith('issuers.') ? s.substring(s.indexOf('/') + 1).split('.', 2)[?1].orValue('')
    : s.substring(s.indexOf('/') + 1))
- name: malformed
  expression: >-
    variables.signers.filter(s, !s.matches('^(issuers\\.cert-manager\\.io/[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\\.|clusterissuers\\.cert-manager\\.io/)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$')
    || s.matches('^(issuers[^/]*/[^.]*[.]|clusterissuers[^/]*/).{254}'))
- name: unknownAnnotations
  expression: >-
    variables.sources.map(s, s.?userAnnotations.orValue({}).map(key, key)).flatten().filter(key, !(key in [
    'pods.countersign.io/dns-names', 'pods.countersign.io/common-name',
    'csi.cert-manager.io/dns-names', 'csi.cert-manager.io/common-name'])).distinct()
- name: annotations
  expression: "variables.sources.map(s, s.?userAnnotations.orValue({}))"
- name: dnsNames
  expression: >-
    variables.annotations.map(a, a[?'pods.countersign.io/dns-names'].orValue(a[?'csi.cert-manager.io/dns-names'].orValue('')))
- name: commonNames
  expression: >-
    variables.annotations.map(a, a[?'pods.countersign.io/common-name'].orValue(a[?'csi.cert-manager.io/common-name'].orValue('')))
# What can be no DNS name whatever its variables stand for; the signer judges the rest.
- name: misnamed
  expression: >-
    (variables.dnsNames.filter(value, value.trim() != '').map(value, value.split(',')).flatten()
    + variables.commonNames.filter(value, value.trim() != '')).map(name, name.trim())
    .filter(name, !name.matches('{{ include "countersign.dnsNameWithVariables" . }}') || name.matches('(^|\\.)[0-9]+$'))
{{- end }}

{{/* A DNS name or wildcard, in letters of any case, with variables in its labels. Short, since its length is what CEL charges. */}}
{{- define "countersign.dnsNameWithVariables" -}}
{{- $name := `(POD_(NAME|NAMESPACE|UID)|SERVICE_ACCOUNT_NAME)` }}
{{- $part := printf `([A-Za-z0-9]|\\$(\\{%s\\}|%s\\b))` $name $name -}}
^(\\*\\.)?{{ $part }}((-*|\\.){{ $part }})*$
{{- end }}

{{/* An access review costs more than a third of what CEL may spend on one expression, hence one expression for each issuer. */}}
{{- define "countersign.podValidations" -}}
- expression: variables.malformed.size() == 0
  reason: Invalid
  message: A podCertificate source has a signer name that can name no issuer (InvalidSignerName)
  messageExpression: >-
    'Signer name "' + variables.malformed[0] + '" can name no issuer: use "issuers.cert-manager.io/<namespace>.<name>" or '
    + '"clusterissuers.cert-manager.io/<name>" (InvalidSignerName)'
- expression: variables.unknownAnnotations.size() == 0
  reason: Invalid
  message: A podCertificate source has an unknown annotation (InvalidUnverifiedUserAnnotations)
  messageExpression: >-
    'The userAnnotations of a podCertificate source have the unknown key "' + variables.unknownAnnotations[0]
    + '": use "pods.countersign.io/dns-names" and "pods.countersign.io/common-name" only (InvalidUnverifiedUserAnnotations)'
- expression: >-
    variables.annotations.all(a, !('pods.countersign.io/dns-names' in a && 'csi.cert-manager.io/dns-names' in a)
    && !('pods.countersign.io/common-name' in a && 'csi.cert-manager.io/common-name' in a))
  reason: Invalid
  message: >-
    The userAnnotations of a podCertificate source have both "pods.countersign.io/dns-names" and "csi.cert-manager.io/dns-names", or
    both common names: keep one of them (InvalidUnverifiedUserAnnotations)
- expression: variables.misnamed.size() == 0
  reason: Invalid
  message: The userAnnotations of a podCertificate source have a malformed DNS name (InvalidUnverifiedUserAnnotations)
  messageExpression: >-
    'The userAnnotations of a podCertificate source have "' + variables.misnamed[0] + '", which is not a DNS name: use letters, digits, '
    + 'hyphens, dots and the variables of Countersign (InvalidUnverifiedUserAnnotations)'
- expression: variables.dnsNames.all(value, value.split(',').size() <= 64)
  reason: Invalid
  message: The userAnnotations of a podCertificate source have more than 64 DNS names (InvalidUnverifiedUserAnnotations)
- expression: >-
    lists.range(variables.annotations.size()).all(i, variables.commonNames[i].trim() == '' || variables.dnsNames[i].trim() != '')
  reason: Invalid
  message: The userAnnotations of a podCertificate source have a common name without DNS names (InvalidUnverifiedUserAnnotations)
- expression: variables.signers.size() <= 8
  reason: Invalid
  message: A pod may have certificates of at most 8 issuers
{{- range $index := until 8 }}
- expression: >-
    variables.signers.size() <= {{ $index }} || variables.malformed.size() > 0 || [variables.names[{{ $index }}], '*'].exists(name,
    authorizer.serviceAccount(request.namespace, variables.account).group('cert-manager.io').resource(variables.resources[{{ $index }}])
    .namespace(variables.namespaces[{{ $index }}]).name(name).check('reference').allowed())
  reason: Forbidden
  message: The ServiceAccount of the pod may not reference the issuer of a podCertificate source (DeniedReference)
  messageExpression: >-
    'ServiceAccount ' + request.namespace + '/' + variables.account + ' may not reference the issuer of ' + variables.signers[{{ $index }}]
    + ': it cannot reference resource "' + variables.resources[{{ $index }}] + '" in API group "cert-manager.io" with the name "'
    + variables.names[{{ $index }}] + '"'
    + (variables.namespaces[{{ $index }}] == '' ? '' : ' in the namespace "' + variables.namespaces[{{ $index }}] + '"') + ' (DeniedReference)'
{{- end }}
{{- end }}

{{/* Takes "root", "suffix" of the name, "rules", "spec", "template" (the path that holds it; empty for a pod), "action". */}}
{{- define "countersign.podPolicy" -}}
{{- $name := printf "%s-%s" (include "countersign.fullname" .root) .suffix -}}
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata:
  name: {{ $name | quote }}
  labels:
    {{- include "countersign.labels" (dict "root" .root) | nindent 4 }}
spec:
  failurePolicy: Fail
  matchConstraints:
    matchPolicy: Equivalent
    resourceRules:
      {{- toYaml .rules | nindent 6 }}
  matchConditions:
    {{- include "countersign.namesIssuerInPod" . | nindent 4 }}
    {{- with .template }}
    # Scaling and annotating a workload creates no new template.
    - name: template-changed
      expression: oldObject == null || object.{{ . }} != oldObject.{{ . }}
    {{- end }}
  variables:
    {{- include "countersign.podVariables" . | nindent 4 }}
  validations:
    {{- include "countersign.podValidations" . | nindent 4 }}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata:
  name: {{ $name | quote }}
  labels:
    {{- include "countersign.labels" (dict "root" .root) | nindent 4 }}
spec:
  policyName: {{ $name | quote }}
  validationActions: [{{ .action }}]
{{- end }}
