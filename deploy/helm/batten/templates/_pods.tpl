{{- /* image is the image of all pods. */ -}}
{{- define "batten.image" -}}
{{ printf "%s:%s" .Values.image.repository .Values.image.tag | quote }}
{{- end -}}

{{- /* nodes is where pods run that have to come to every node: before Batten is ready, too. */ -}}
{{- define "batten.nodes" -}}
{{- $all := false -}}
{{- range default list .Values.tolerations -}}
{{- if and (eq (default "Equal" .operator) "Exists") (not .key) (not .effect) }}{{ $all = true }}{{ end -}}
{{- end -}}
{{- $tolerations := default list .Values.tolerations -}}
{{- if not $all -}}
{{- $tolerations = append $tolerations (dict "key" "batten-runtime.github.io/agent-not-ready" "operator" "Exists") -}}
{{- end -}}
nodeSelector: {{ toJson .Values.nodeSelector }}
tolerations: {{ toJson $tolerations }}
{{- with .Values.imagePullSecrets }}
imagePullSecrets: {{ toJson . }}
{{- end }}
{{- end -}}

{{- /* flags are those that the DaemonSet and the test have in common. */ -}}
{{- define "batten.flags" -}}
- --root=/host
{{- if eq .Values.mode "Default" }}
- --default
{{- end }}
{{- with (default dict .Values.containerd).socket }}
- {{ printf "--socket=%s" . | quote }}
{{- end }}
{{- with (default dict .Values.containerd).config }}
- {{ printf "--config=%s" . | quote }}
{{- end }}
{{- with (default dict .Values.containerd).binary }}
- {{ printf "--containerd-binary=%s" . | quote }}
{{- end }}
{{- with .Values.distribution }}
- {{ printf "--distribution=%s" . | quote }}
{{- end }}
{{- with .Values.bin }}
- {{ printf "--bin=%s" . | quote }}
{{- end }}
{{- end -}}
