// SPDX-License-Identifier: Apache-2.0
// client-go against the API: prints a line of JSON a check: {"check", "ok", "detail"}.
// tools/fetch-clients builds it once for each version of client-go; KUBECONFIG is set.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	typedcore "k8s.io/client-go/kubernetes/typed/core/v1"
	typedrbac "k8s.io/client-go/kubernetes/typed/rbac/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
)

const deadline = 15 * time.Second

var (
	ctx      = context.Background()
	vmis     = schema.GroupVersionResource{Group: "kubevirt.io", Version: "v1", Resource: "virtualmachineinstances"}
	oldVmims = schema.GroupVersionResource{Group: "kubevirt.io", Version: "v1alpha3", Resource: "virtualmachineinstancemigrations"}
)

type clients struct {
	json, proto *typedcore.CoreV1Client
	rbac        *typedrbac.RbacV1Client // as protobuf
	dynamic     dynamic.Interface
	discovery   *discovery.DiscoveryClient
}

func want(ok bool, format string, args ...any) error {
	if ok {
		return nil
	}
	return fmt.Errorf(format, args...)
}

func newClients() (*clients, error) {
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))
	if err != nil {
		return nil, err
	}
	config.QPS, config.Burst = 1000, 1000
	proto := rest.CopyConfig(config)
	proto.ContentType = "application/vnd.kubernetes.protobuf"
	proto.AcceptContentTypes = "application/vnd.kubernetes.protobuf,application/json"
	c := &clients{}
	if c.json, err = typedcore.NewForConfig(config); err != nil {
		return nil, err
	}
	if c.proto, err = typedcore.NewForConfig(proto); err != nil {
		return nil, err
	}
	if c.rbac, err = typedrbac.NewForConfig(proto); err != nil {
		return nil, err
	}
	if c.dynamic, err = dynamic.NewForConfig(config); err != nil {
		return nil, err
	}
	c.discovery, err = discovery.NewDiscoveryClientForConfig(config)
	return c, err
}

func discover(c *clients) error {
	_, resources, err := c.discovery.ServerGroupsAndResources()
	if err != nil {
		return err
	}
	found := map[string]bool{}
	for _, list := range resources {
		for _, r := range list.APIResources {
			found[list.GroupVersion+"/"+r.Name] = true
		}
	}
	for _, name := range []string{"v1/nodes", "v1/pods", "v1/pods/eviction", "kubevirt.io/v1/virtualmachineinstances",
		"kubevirt.io/v1alpha3/virtualmachineinstances"} {
		if !found[name] {
			return fmt.Errorf("discovery lacks %s", name)
		}
	}
	return nil
}

func typedReads(c *clients) error {
	nodes, err := c.json.Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	if len(nodes.Items) < 3 || nodes.Items[0].Status.Capacity.Cpu().Value() == 0 {
		return fmt.Errorf("nodes without capacity")
	}
	pods, err := c.json.Pods("").List(ctx, metav1.ListOptions{FieldSelector: "spec.nodeName=h1"})
	if err != nil {
		return err
	}
	if err = want(len(pods.Items) == 1 && pods.Items[0].Spec.NodeName == "h1", "pods of h1: %d", len(pods.Items)); err != nil {
		return err
	}
	pod, err := c.json.Pods("default").Get(ctx, pods.Items[0].Name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	if err = want(pod.UID == pods.Items[0].UID, "another pod"); err != nil {
		return err
	}
	_, err = c.json.Namespaces().List(ctx, metav1.ListOptions{Limit: 1})
	if err == nil {
		_, err = c.json.Events("").List(ctx, metav1.ListOptions{})
	}
	if err == nil {
		_, err = c.json.Services("").List(ctx, metav1.ListOptions{})
	}
	if err == nil {
		_, err = c.rbac.ClusterRoles().List(ctx, metav1.ListOptions{})
	}
	return err
}

func event(name string) *corev1.Event {
	now := metav1.NewTime(time.Now())
	return &corev1.Event{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "default"},
		InvolvedObject: corev1.ObjectReference{APIVersion: "v1", Kind: "Node", Name: "h1", UID: "h1"},
		Reason:         "Probed", Message: "seen by a client", Type: "Normal", Count: 3,
		FirstTimestamp: now, LastTimestamp: now, EventTime: metav1.NewMicroTime(now.Time),
		Source: corev1.EventSource{Component: "probe", Host: "h1"}, ReportingController: "probe",
		ReportingInstance: "probe-1", Action: "Look"}
}

func protobufWrites(c *clients) error {
	core := c.proto
	space, err := core.Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "by-protobuf",
		Labels: map[string]string{"a": "b"}}}, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("namespace: %w", err)
	}
	space.Annotations = map[string]string{"note": "x y"}
	if space, err = core.Namespaces().Update(ctx, space, metav1.UpdateOptions{}); err != nil {
		return fmt.Errorf("namespace, update: %w", err)
	}
	if space.Annotations["note"] != "x y" || space.Labels["a"] != "b" {
		return fmt.Errorf("the namespace came back as %v", space.ObjectMeta)
	}
	if err = core.Namespaces().Delete(ctx, "by-protobuf", metav1.DeleteOptions{}); err != nil {
		return err
	}
	wrote := event("by-protobuf")
	made, err := core.Events("default").Create(ctx, wrote, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("event: %w", err)
	}
	if made.Count != 3 || made.Source.Component != "probe" || made.InvolvedObject.Name != "h1" ||
		made.LastTimestamp.Unix() != wrote.LastTimestamp.Unix() ||
		made.EventTime.UnixMicro() != wrote.EventTime.UnixMicro() {
		return fmt.Errorf("the event came back as %v", made)
	}
	made.Count = 4
	if made, err = core.Events("default").Update(ctx, made, metav1.UpdateOptions{}); err != nil {
		return fmt.Errorf("event, update: %w", err)
	}
	node, err := core.Nodes().Get(ctx, "h2", metav1.GetOptions{})
	if err != nil {
		return err
	}
	node.Spec.Unschedulable = true
	node.Spec.Taints = []corev1.Taint{{Key: "k", Value: "v", Effect: corev1.TaintEffectNoSchedule}}
	if node, err = core.Nodes().Update(ctx, node, metav1.UpdateOptions{}); err != nil {
		return fmt.Errorf("node: %w", err)
	}
	if !node.Spec.Unschedulable || len(node.Spec.Taints) != 1 {
		return fmt.Errorf("the node came back as %v", node.Spec)
	}
	node.Spec = corev1.NodeSpec{}
	if _, err = core.Nodes().Update(ctx, node, metav1.UpdateOptions{}); err != nil {
		return fmt.Errorf("node, undone: %w", err)
	}
	role := &rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Name: "probe", Namespace: "default"},
		Rules: []rbacv1.PolicyRule{{Verbs: []string{"get"}, APIGroups: []string{""}, Resources: []string{"nodes"}}}}
	_, err = c.rbac.Roles("default").Create(ctx, role, metav1.CreateOptions{})
	return err
}

func nextEvent(w watch.Interface, seen func(watch.Event) bool) error {
	end := time.After(deadline)
	for {
		select {
		case e, ok := <-w.ResultChan():
			if !ok {
				return fmt.Errorf("the watch ended")
			}
			if e.Type == watch.Error {
				return apierrors.FromObject(e.Object)
			}
			if seen(e) {
				return nil
			}
		case <-end:
			return fmt.Errorf("no such event within %v", deadline)
		}
	}
}

func watches(c *clients) error {
	list, err := c.dynamic.Resource(vmis).Namespace("default").List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	w, err := c.dynamic.Resource(vmis).Namespace("default").Watch(ctx, metav1.ListOptions{ResourceVersion: list.GetResourceVersion()})
	if err != nil {
		return err
	}
	defer w.Stop()
	patch := fmt.Sprintf(`{"metadata":{"labels":{"seen":"%d"}}}`, time.Now().UnixNano())
	if _, err = c.dynamic.Resource(vmis).Namespace("default").Patch(ctx, "db", types.MergePatchType, []byte(patch),
		metav1.PatchOptions{}); err != nil {
		return err
	}
	if err = nextEvent(w, func(e watch.Event) bool {
		return e.Type == watch.Modified && e.Object.(*unstructured.Unstructured).GetName() == "db"
	}); err != nil {
		return err
	}
	pods, err := c.json.Pods("default").Watch(ctx, metav1.ListOptions{})
	if err != nil {
		return fmt.Errorf("pods: %w", err)
	}
	defer pods.Stop()
	return nextEvent(pods, func(e watch.Event) bool { return e.Type == watch.Added && e.Object.(*corev1.Pod).Spec.NodeName == "h1" })
}

func informersSync(c *clients) error {
	nodes := cache.NewSharedInformer(cache.NewListWatchFromClient(c.json.RESTClient(), "nodes", "", fields.Everything()), &corev1.Node{}, 0)
	pods := cache.NewSharedInformer(cache.NewListWatchFromClient(c.json.RESTClient(), "pods", "", fields.Everything()), &corev1.Pod{}, 0)
	stop, late := make(chan struct{}), make(chan struct{})
	defer close(stop)
	go nodes.Run(stop)
	go pods.Run(stop)
	timer := time.AfterFunc(deadline, func() { close(late) })
	defer timer.Stop()
	if !cache.WaitForCacheSync(late, nodes.HasSynced, pods.HasSynced) {
		return fmt.Errorf("informers of nodes and pods do not sync")
	}
	return want(len(nodes.GetStore().List()) >= 3, "the informer's store lacks nodes")
}

func olderVersion(c *clients) error {
	object := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "kubevirt.io/v1alpha3",
		"kind": "VirtualMachineInstanceMigration", "metadata": map[string]any{"generateName": "probe-"},
		"spec": map[string]any{"vmiName": "db"}}}
	made, err := c.dynamic.Resource(oldVmims).Namespace("default").Create(ctx, object,
		metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
	if err != nil {
		return err
	}
	return want(made.GetAPIVersion() == "kubevirt.io/v1alpha3", "answered as %s", made.GetAPIVersion())
}

func refusals(c *clients) error {
	_, err := c.json.Pods("default").Create(ctx, &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "p"}}, metav1.CreateOptions{})
	if err = want(apierrors.IsMethodNotSupported(err), "a pod was created: %v", err); err != nil {
		return err
	}
	_, err = c.json.Nodes().Get(ctx, "nope", metav1.GetOptions{})
	if err = want(apierrors.IsNotFound(err), "not found: %v", err); err != nil {
		return err
	}
	_, err = c.json.Nodes().List(ctx, metav1.ListOptions{LabelSelector: "a in"})
	return want(apierrors.IsBadRequest(err), "a bad selector: %v", err)
}

func decodes(c *clients) error {
	raw, err := c.json.RESTClient().Get().AbsPath("/api/v1/pods").Param("watch", "True").Param("timeoutSeconds", "1").DoRaw(ctx)
	if err != nil {
		return err
	}
	var e metav1.WatchEvent
	if err = json.Unmarshal(raw[:firstLine(raw)], &e); err != nil {
		return err
	}
	var pod corev1.Pod
	if err = runtime.DecodeInto(unstructured.UnstructuredJSONScheme, e.Object.Raw, &unstructured.Unstructured{}); err != nil {
		return err
	}
	if err = json.Unmarshal(e.Object.Raw, &pod); err != nil {
		return err
	}
	return want(e.Type == "ADDED" && pod.Kind == "Pod", "the first event of watch=True: %s", raw)
}

func firstLine(raw []byte) int {
	for i, b := range raw {
		if b == '\n' {
			return i
		}
	}
	return len(raw)
}

func main() {
	c, err := newClients()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	checks := []struct {
		name string
		run  func(*clients) error
	}{{"discovery", discover}, {"typed reads", typedReads}, {"writes as protobuf", protobufWrites},
		{"watches", watches}, {"informers", informersSync}, {"watch=True", decodes},
		{"kubevirt.io/v1alpha3", olderVersion}, {"refusals", refusals}}
	out := json.NewEncoder(os.Stdout)
	for _, check := range checks {
		err := check.run(c)
		detail := ""
		if err != nil {
			detail = err.Error()
		}
		_ = out.Encode(map[string]any{"check": check.name, "ok": err == nil, "detail": detail})
	}
}
