{{/* Names, labels and parts shared by the services. Parts take (dict "root" $ "service" "signer"|"webhook"|"approver"). */}}

{{/* The services that this release installs, separated by spaces. */}}
{{- define "countersign.services" -}}
signer webhook{{ if (.Values.approver).enabled }} approver{{ end }}
{{- end }}

{{- define "countersign.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* Which issuers get a trust bundle: in YAML 1.1, which Helm reads, an unquoted off is false. */}}
{{- define "countersign.trustBundles" -}}
{{ .Values.trustBundles.publish | default "off" }}
{{- end }}

{{/* Whether the webhook evaluates ApprovalPolicies; an unquoted off is false. */}}
{{- define "countersign.webhookPolicies" -}}
{{ .Values.webhook.approvalPolicies | default "off" }}
{{- end }}

{{/* The rule of a service that evaluates ApprovalPolicies. */}}
{{- define "countersign.policiesRule" -}}
- apiGroups: [approval.countersign.io]
  resources: [approvalpolicies]
  verbs: [list, watch]
{{- end }}

{{/* At most 48 characters, so that names with the longest suffixes (-webhook-secrets, -webhook-tls) stay within 63 or 64. Release names may
contain dots, Service names may not. */}}
{{- define "countersign.fullname" -}}
{{- $name := include "countersign.name" . }}
{{- $full := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) }}
{{- default $full .Values.fullnameOverride | replace "." "-" | trunc 48 | trimSuffix "-" }}
{{- end }}

{{- define "countersign.componentName" -}}
{{- printf "%s-%s" (include "countersign.fullname" .root) .service }}
{{- end }}

{{- define "countersign.serviceAccountName" -}}
{{- default (include "countersign.componentName" .) (index .root.Values .service).serviceAccount.name }}
{{- end }}

{{- define "countersign.serviceAccount" -}}
{{- $account := (index .root.Values .service).serviceAccount }}
{{- if $account.create }}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ include "countersign.serviceAccountName" . | quote }}
  namespace: {{ .root.Release.Namespace | quote }}
  labels:
    {{- include "countersign.labels" . | nindent 4 }}
  {{- with $account.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
automountServiceAccountToken: false
{{- else if not $account.name }}
{{- fail (printf "%s.serviceAccount.name is empty: with create: false, set it to the name of an existing ServiceAccount" .service) }}
{{- end }}
{{- end }}

{{- define "countersign.podDisruptionBudget" -}}
{{- $budget := (index .root.Values .service).podDisruptionBudget }}
{{- if $budget.enabled }}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ include "countersign.componentName" . | quote }}
  namespace: {{ .root.Release.Namespace | quote }}
  labels:
    {{- include "countersign.labels" . | nindent 4 }}
spec:
  maxUnavailable: {{ $budget.maxUnavailable }}
  # A pod that is not ready serves nothing and must not block the drain of its node.
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels:
      {{- include "countersign.selectorLabels" . | nindent 6 }}
{{- end }}
{{- end }}

{{/* A pod stops only when its replacement is ready. */}}
{{- define "countersign.surgeStrategy" -}}
type: RollingUpdate
rollingUpdate:
  maxUnavailable: 0
  maxSurge: 1
{{- end }}

{{- define "countersign.clusterResourceNamespace" -}}
{{- default .Release.Namespace .Values.clusterResourceNamespace }}
{{- end }}

{{/*
The namespace of the pod, for arguments and variables; the kubelet expands it. The release namespace must not be used there, because tools
that change the namespace of rendered objects, such as kustomize, do not change arguments.
*/}}
{{- define "countersign.podNamespace" -}}
$(POD_NAMESPACE)
{{- end }}

{{/* The variable that countersign.podNamespace refers to. Must come before the variables that use it. */}}
{{- define "countersign.podNamespaceVariable" -}}
- name: POD_NAMESPACE
  valueFrom:
    fieldRef:
      fieldPath: metadata.namespace
{{- end }}

{{/* Name of the Secret with the webhook's own CA (mode managed) or its serving certificate (mode secret). */}}
{{- define "countersign.certificateSecretName" -}}
{{- $certificate := .Values.webhook.certificate }}
{{- $suffix := ternary "webhook-ca" "webhook-tls" (eq $certificate.mode "managed") }}
{{- default (printf "%s-%s" (include "countersign.fullname" .) $suffix) $certificate.secretName }}
{{- end }}

{{/* DNS names and addresses at which the API server calls the webhook. Its certificate must contain all of them. */}}
{{- define "countersign.webhookNames" -}}
{{- $service := printf "%s.%s.svc" (include "countersign.componentName" (dict "root" . "service" "webhook")) (include "countersign.podNamespace" .) }}
{{- $names := list $service }}
{{- with .Values.webhook.url }}
{{- $names = append $names (urlParse .).hostname }}
{{- end }}
{{- join "," $names }}
{{- end }}

{{- define "countersign.selectorLabels" -}}
app.kubernetes.io/name: {{ include "countersign.name" .root | quote }}
app.kubernetes.io/instance: {{ .root.Release.Name | quote }}
app.kubernetes.io/component: {{ .service | quote }}
{{- end }}

{{/* Without `service` for objects of neither service. */}}
{{- define "countersign.ownLabels" -}}
{{- $root := .root }}
{{- $labels := dict
  "app.kubernetes.io/name" (include "countersign.name" $root)
  "app.kubernetes.io/instance" $root.Release.Name
  "app.kubernetes.io/version" $root.Chart.AppVersion
  "app.kubernetes.io/part-of" "countersign"
  "app.kubernetes.io/managed-by" $root.Release.Service
  "helm.sh/chart" (printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-") }}
{{- with .service }}
{{- $_ := set $labels "app.kubernetes.io/component" . }}
{{- end }}
{{- toYaml $labels }}
{{- end }}

{{/* The chart's own labels override commonLabels. */}}
{{- define "countersign.labels" -}}
{{- toYaml (merge (include "countersign.ownLabels" . | fromYaml) .root.Values.commonLabels) }}
{{- end }}

{{/* Labels and annotations of the objects of `helm test`, which are deleted when they succeed; a failed pod stays. */}}
{{- define "countersign.testMetadata" -}}
labels:
  {{- include "countersign.labels" (dict "root" . "service" "test") | nindent 2 }}
annotations:
  helm.sh/hook: test
  helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end }}

{{- define "countersign.image" -}}
{{- $image := (index .root.Values .service).image }}
{{- if $image.digest }}
{{- printf "%s@%s" $image.repository $image.digest }}
{{- else }}
{{- printf "%s:%s" $image.repository (default .root.Chart.AppVersion $image.tag) }}
{{- end }}
{{- end }}

{{- define "countersign.podMetadata" -}}
{{- with (index .root.Values .service).podAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
labels:
  {{- $labels := include "countersign.labels" . | fromYaml }}
  {{- toYaml (merge (deepCopy (default dict (index .root.Values .service).podLabels)) $labels) | nindent 2 }}
{{- end }}

{{/* A pod's spec up to its containers. */}}
{{- define "countersign.podSpec" -}}
{{- $values := .root.Values -}}
{{- $context := . -}}
serviceAccountName: {{ include "countersign.serviceAccountName" . | quote }}
automountServiceAccountToken: true
# Service variables (COUNTERSIGN_SIGNER_PORT and so on) would be rejected as unknown options.
enableServiceLinks: false
{{- with $values.podSecurityContext }}
securityContext:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- with $values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
affinity:
{{- if $values.affinity }}
  {{- toYaml $values.affinity | nindent 2 }}
{{- else }}
  podAntiAffinity:
    preferredDuringSchedulingIgnoredDuringExecution:
      - weight: 100
        podAffinityTerm:
          topologyKey: kubernetes.io/hostname
          labelSelector:
            matchLabels:
              {{- include "countersign.selectorLabels" . | nindent 14 }}
{{- end }}
{{- with $values.topologySpreadConstraints }}
topologySpreadConstraints:
  {{- range . }}
  - {{- toYaml . | nindent 4 }}
    {{- if not .labelSelector }}
    labelSelector:
      matchLabels:
        {{- include "countersign.selectorLabels" $context | nindent 8 }}
    {{- end }}
  {{- end }}
{{- end }}
{{- $service := index $values .service }}
{{- if or $service.extraVolumes $service.clientCaConfigMap }}
volumes:
  {{- with $service.clientCaConfigMap }}
  - name: client-ca
    configMap:
      name: {{ . | quote }}
  {{- end }}
  {{- with $service.extraVolumes }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}
{{- end }}

{{/* A container's fields except name, args and ports. All services serve /healthz and /readyz on the port `http`. */}}
{{- define "countersign.containerSpec" -}}
{{- $service := index .root.Values .service -}}
image: {{ include "countersign.image" . | quote }}
imagePullPolicy: {{ $service.image.pullPolicy }}
{{- with .root.Values.securityContext }}
securityContext:
  {{- toYaml . | nindent 2 }}
{{- end }}
livenessProbe:
  httpGet:
    path: /healthz
    port: http
  {{- toYaml $service.livenessProbe | nindent 2 }}
readinessProbe:
  httpGet:
    path: /readyz
    port: http
  {{- toYaml $service.readinessProbe | nindent 2 }}
env:
  {{- include "countersign.podNamespaceVariable" . | nindent 2 }}
  {{- with $service.extraEnv }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with $service.resources }}
resources:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- if or $service.extraVolumeMounts $service.clientCaConfigMap }}
volumeMounts:
  {{- with $service.clientCaConfigMap }}
  - name: client-ca
    mountPath: /etc/countersign/client-ca
    readOnly: true
  {{- end }}
  {{- with $service.extraVolumeMounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}
{{- end }}

{{/* Port for metrics and probes. Configurable for the webhook only, which may use the host network, where the port may be in use. */}}
{{- define "countersign.httpPort" -}}
{{- default 9402 (index .root.Values .service).httpPort }}
{{- end }}

{{/* All flags of a container: those of signer and webhook, `own` (YAML) and extraArgs. The services reject duplicate flags. */}}
{{- define "countersign.args" -}}
{{- $args := concat (include "countersign.commonArgs" . | fromYamlArray) (fromYamlArray .own) }}
{{- include "countersign.completeArgs" (merge (dict "args" (toYaml $args)) .) }}
{{- end }}

{{/* `args` (YAML) and extraArgs, without duplicates. */}}
{{- define "countersign.completeArgs" -}}
{{- $service := .service }}
{{- $args := fromYamlArray .args }}
{{- range $extra := (index .root.Values $service).extraArgs }}
{{- $flag := regexFind "^--[a-z-]+" $extra }}
{{- range $args }}
{{- if eq $flag (regexFind "^--[a-z-]+" .) }}
{{- fail (printf "%s.extraArgs: %s conflicts with %s, which is already set: use the corresponding chart value, or remove the flag" $service $extra .) }}
{{- end }}
{{- end }}
{{- $args = append $args $extra }}
{{- end }}
{{- toYaml $args }}
{{- end }}

{{/* The list of external types, which signer, webhook and approver must agree on; nothing without one. */}}
{{- define "countersign.externalArg" -}}
{{- $types := list }}
{{- range .root.Values.delegation.externalIssuers }}
{{- $types = append $types (printf "%s=%s:%s" .name .kind .scope) }}
{{- end }}
{{- with $types }}
- --external-issuers={{ join "," . }}
{{- end }}
{{- end }}

{{/* The flags that signer and webhook accept. */}}
{{- define "countersign.commonArgs" -}}
- --http-address=:{{ include "countersign.httpPort" . }}
- --cluster-resource-namespace={{ default (include "countersign.podNamespace" .) .root.Values.clusterResourceNamespace }}
- --log-level={{ .root.Values.logLevel }}
{{- with .root.Values.policy.maxDuration }}
- --max-duration={{ . }}
{{- end }}
{{- if .root.Values.policy.authorizeClusterIssuers }}
- --authorize-cluster-issuers=true
{{- end }}
{{- if .root.Values.delegation.enabled }}
- --delegate=true
{{- end }}
{{- include "countersign.externalArg" . }}
{{- if not .root.Values.policy.honourNameConstraints }}
- --honour-name-constraints=false
{{- end }}
{{- end }}

{{/* roleRef and subjects of a service's binding. `kind` is Role or ClusterRole, `role` its name. */}}
{{- define "countersign.bindingTo" -}}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: {{ .kind }}
  name: {{ .role | quote }}
subjects:
  - kind: ServiceAccount
    name: {{ include "countersign.serviceAccountName" . | quote }}
    namespace: {{ .root.Release.Namespace | quote }}
{{- end }}

{{/* Secrets are read only by name. Neither service may list or watch them. */}}
{{- define "countersign.secretsRule" -}}
- apiGroups: [""]
  resources: [secrets]
  verbs: [get]
{{- end }}

{{/* A Role and RoleBinding for one service in each of signer.secretNamespaces. */}}
{{- define "countersign.secretRoles" -}}
{{- $context := . }}
{{- $name := printf "%s-secrets" (include "countersign.componentName" .) }}
{{- range uniq (default list .root.Values.signer.secretNamespaces) }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: {{ $name | quote }}
  namespace: {{ . | quote }}
  labels:
    {{- include "countersign.labels" $context | nindent 4 }}
rules:
  {{- include "countersign.secretsRule" $context | nindent 2 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: {{ $name | quote }}
  namespace: {{ . | quote }}
  labels:
    {{- include "countersign.labels" $context | nindent 4 }}
{{ include "countersign.bindingTo" (merge (dict "kind" "Role" "role" $name) $context) }}
{{- end }}
{{- end }}
