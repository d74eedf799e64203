// PodCertificateRequests as the API server sees them: pods on one node, and the requests of its kubelet, which is
// impersonated. Nothing runs on the node.
package main

import (
	"context"
	"crypto/x509"
	"fmt"
	"hash/fnv"
	"math/big"
	"time"

	certificates "k8s.io/api/certificates/v1"
	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	typed "k8s.io/client-go/kubernetes/typed/certificates/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
)

const (
	podNamespace = "bench-pods"
	nodeName     = "bench-node"
	patience     = 30 * time.Second
	lifetime     = 86_400 // seconds
)

// pods has one pod for each of the ServiceAccounts, which share the requests. The requests do not differ from those of
// as many pods, because a signer looks at no pod.
type pods struct {
	*cluster
	accounts int
	nodeUID  types.UID
	made     []*core.Pod
	uids     []types.UID // of the ServiceAccounts
}

// kubelet is the identity that NodeRestriction requires.
func kubelet() rest.ImpersonationConfig {
	return rest.ImpersonationConfig{UserName: "system:node:" + nodeName, Groups: []string{"system:nodes", "system:authenticated"}}
}

func (p *pods) setUp(ctx context.Context) error {
	namespace := &core.Namespace{ObjectMeta: meta.ObjectMeta{Name: podNamespace}}
	if _, err := p.admin.CoreV1().Namespaces().Create(ctx, namespace, meta.CreateOptions{}); err != nil && !errors.IsAlreadyExists(err) {
		return err
	}
	object := &core.Node{ObjectMeta: meta.ObjectMeta{Name: nodeName}}
	if _, err := p.admin.CoreV1().Nodes().Create(ctx, object, meta.CreateOptions{}); err != nil && !errors.IsAlreadyExists(err) {
		return err
	}
	node, err := p.admin.CoreV1().Nodes().Get(ctx, nodeName, meta.GetOptions{})
	if err != nil {
		return err
	}
	p.nodeUID = node.UID
	for i := range p.accounts {
		if err := p.addPod(ctx, fmt.Sprintf("%s-%d", p.run, i)); err != nil {
			return err
		}
	}
	return nil
}

// addPod creates a pod and its ServiceAccount of the same name, and returns once NodeRestriction knows the pod.
func (p *pods) addPod(ctx context.Context, name string) error {
	labelled := meta.ObjectMeta{Name: name, Labels: map[string]string{runLabel: p.run}}
	account, err := p.admin.CoreV1().ServiceAccounts(podNamespace).Create(ctx, &core.ServiceAccount{ObjectMeta: labelled}, meta.CreateOptions{})
	if err != nil {
		return err
	}
	source := core.VolumeProjection{PodCertificate: &core.PodCertificateProjection{
		SignerName: p.signer, KeyType: "ECDSAP256", CredentialBundlePath: "bundle.pem",
	}}
	volume := core.Volume{Name: "certificate"}
	volume.Projected = &core.ProjectedVolumeSource{Sources: []core.VolumeProjection{source}}
	pod, err := p.admin.CoreV1().Pods(podNamespace).Create(ctx, &core.Pod{
		ObjectMeta: labelled,
		Spec: core.PodSpec{
			NodeName: nodeName, ServiceAccountName: name, Volumes: []core.Volume{volume},
			Containers: []core.Container{{Name: "app", Image: "app"}},
		},
	}, meta.CreateOptions{})
	if err != nil {
		return err
	}
	p.made, p.uids = append(p.made, pod), append(p.uids, account.UID)
	return p.awaitKnown(ctx, len(p.made)-1)
}

// awaitKnown repeats a dry run: the caches of the API server lag behind.
func (p *pods) awaitKnown(ctx context.Context, at int) error {
	var err error
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		probe := p.request(fmt.Sprintf("%s-probe", p.run), at)
		_, err = p.requests().Create(ctx, probe, meta.CreateOptions{DryRun: []string{meta.DryRunAll}})
		if err == nil {
			return nil
		}
	}
	return err
}

func (p *pods) request(name string, at int) *certificates.PodCertificateRequest {
	pod := p.made[at]
	seconds := int32(lifetime)
	return &certificates.PodCertificateRequest{
		ObjectMeta: meta.ObjectMeta{Name: name, Namespace: podNamespace, Labels: map[string]string{runLabel: p.run}},
		Spec: certificates.PodCertificateRequestSpec{
			SignerName: p.signer, PodName: pod.Name, PodUID: pod.UID,
			ServiceAccountName: pod.Spec.ServiceAccountName, ServiceAccountUID: p.uids[at],
			NodeName: nodeName, NodeUID: p.nodeUID, MaxExpirationSeconds: &seconds, StubPKCS10Request: p.stub,
		},
	}
}

// create needs no release: the permission of the ServiceAccount decides, and nobody approves.
func (p *pods) create(ctx context.Context, name string) (func() error, error) {
	hash := fnv.New32()
	_, _ = hash.Write([]byte(name))
	_, err := p.requests().Create(ctx, p.request(name, int(hash.Sum32())%len(p.made)), meta.CreateOptions{})
	return func() error { return nil }, err
}

func (p *pods) requests() typed.PodCertificateRequestInterface {
	return p.kubelet.CertificatesV1().PodCertificateRequests(podNamespace)
}

func (p *pods) informer(factory informers.SharedInformerFactory) cache.SharedIndexInformer {
	return factory.Certificates().V1().PodCertificateRequests().Informer()
}

func (p *pods) outcome(object any) outcome {
	request, ok := object.(*certificates.PodCertificateRequest)
	if !ok {
		return outcome{}
	}
	found := outcome{name: request.Name, issued: len(request.Status.CertificateChain) > 0}
	for _, condition := range request.Status.Conditions {
		found.failed = found.failed || condition.Type != certificates.PodCertificateRequestConditionTypeIssued
	}
	return found
}

// certificatePatch fits every request, because all have the same key and lifetime.
func (p *pods) certificatePatch() ([]byte, error) {
	from := time.Now().UTC().Truncate(time.Second)
	until := from.Add(lifetime * time.Second)
	chain, err := selfSign(&x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: from, NotAfter: until}, p.key)
	if err != nil {
		return nil, err
	}
	const status = `{"status":{"conditions":[{"type":"Issued","status":"True","reason":"Bench","message":"","lastTransitionTime":%[1]q}],` +
		`"certificateChain":%[2]q,"notBefore":%[1]q,"beginRefreshAt":%[3]q,"notAfter":%[4]q}}`
	refresh := until.Add(-time.Hour)
	return fmt.Appendf(nil, status, from.Format(time.RFC3339), chain, refresh.Format(time.RFC3339), until.Format(time.RFC3339)), nil
}

func (p *pods) certify(ctx context.Context, name string, patch []byte) error {
	requests := p.admin.CertificatesV1().PodCertificateRequests(podNamespace)
	_, err := requests.Patch(ctx, name, types.MergePatchType, patch, meta.PatchOptions{}, "status")
	return err
}

// deleteRequests also deletes the pods and the ServiceAccounts.
func (p *pods) deleteRequests(ctx context.Context, which meta.ListOptions) error {
	now := int64(0)
	how := meta.DeleteOptions{GracePeriodSeconds: &now}
	core := p.admin.CoreV1()
	for _, remove := range []func() error{
		func() error {
			return p.admin.CertificatesV1().PodCertificateRequests(podNamespace).DeleteCollection(ctx, how, which)
		},
		func() error { return core.Pods(podNamespace).DeleteCollection(ctx, how, which) },
		func() error { return core.ServiceAccounts(podNamespace).DeleteCollection(ctx, how, which) },
	} {
		if err := insist(remove); err != nil {
			return err
		}
	}
	return nil
}

func (p *pods) isApproved() bool { return false }

// events: the certificate of a pod is not worth an event.
func (p *pods) events() int { return 0 }
