package main

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/batten-runtime/batten/integration/cluster"
	"github.com/batten-runtime/batten/integration/node"
	corev1 "k8s.io/api/core/v1"
	nodev1 "k8s.io/api/node/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// way is one of two ways to a filtered pod: by the kubelet's seccompDefault and the
// stock shim, or by Batten as the node's default and nothing else.
type way struct {
	name, class string
	kubelet     cluster.Kubelet
}

var ways = [2]way{
	{"stock, `seccompDefault: true`", "stock", cluster.Kubelet{SeccompDefault: true}},
	{"Batten as the default", "", cluster.Kubelet{}},
}

// blockOf pods are made one after the other before the other way has its turn, for
// which the kubelet starts anew; crowd pods at once.
const (
	blockOf = 5
	crowd   = 50
)

// pods measures them on a Kubernetes node.
func (b *bench) pods() {
	c := cluster.Start(b, b.engine, []node.Handler{{Name: "runc", Type: node.Stock, Path: node.Shim(b)}, {Name: "stock", Type: node.Stock}})
	_, err := c.Client.NodeV1().RuntimeClasses().Create(c.Ctx(), &nodev1.RuntimeClass{ObjectMeta: metav1.ObjectMeta{Name: "stock"}, Handler: "stock"}, metav1.CreateOptions{})
	if err != nil {
		b.Fatal(err)
	}
	if b.has("pods") {
		b.latency(c)
	}
	if b.has("crowd") {
		b.crowds(c)
	}
}

// latency is that of pods made one after the other.
func (b *bench) latency(c *cluster.Cluster) {
	var ready, runtime [2][]float64
	b.inTurn(c, b.rounds/blockOf, func(i int, _ bool) {
		before := kubeletSeconds(b, c)
		ready[i] = append(ready[i], b.oneByOne(c, ways[i], blockOf)...)
		runtime[i] = append(runtime[i], (kubeletSeconds(b, c)-before)/blockOf*1000)
	})
	table("pod created to Ready, by the watch", "ms", ready)
	table("the kubelet's sandbox, create and start operations, per pod", "ms", runtime)
}

// crowds is that of many at once, and their shims' memory.
func (b *bench) crowds(c *cluster.Cluster) {
	var took, dirty [2][]float64
	b.inTurn(c, b.rounds/blockOf, func(i int, last bool) {
		ms, kib := b.atOnce(c, ways[i], last)
		took[i], dirty[i] = append(took[i], ms), append(dirty[i], kib...)
	})
	table(fmt.Sprintf("%d pods created at once to all Ready, by the watch", crowd), "ms", took)
	table("private dirty memory of a pod's shim, settled", "KiB", dirty)
}

// inTurn measures both ways so many times, nobody always first.
func (b *bench) inTurn(c *cluster.Cluster, blocks int, measure func(i int, last bool)) {
	for block := range max(blocks, 2) {
		for k := range ways {
			i := (k + block) % 2
			c.SetKubelet(ways[i].kubelet)
			b.oneByOne(c, ways[i], 1) // until the kubelet is warm
			measure(i, block == max(blocks, 2)-1)
		}
	}
}

func table(what, unit string, values [2][]float64) {
	fmt.Printf("\n| %s | %s | ratio (quartiles) |\n| --- | --- | --- |\n", what, unit)
	fmt.Printf("| %s | %.0f | |\n| %s | %.0f | %s |\n", ways[0].name, median(values[0]), ways[1].name, median(values[1]), ratio(values[1], values[0]))
}

func (b *bench) pod(w way) *corev1.Pod {
	b.serial++
	pod := cluster.Pod(fmt.Sprintf("pod-%d", b.serial))
	if w.class != "" {
		pod.Spec.RuntimeClassName = new(w.class)
	}
	pod.Labels = map[string]string{"batch": strconv.Itoa(b.serial)}
	return pod
}

// oneByOne makes pods one after the other, and returns the time of each in ms.
func (b *bench) oneByOne(c *cluster.Cluster, w way, n int) (ms []float64) {
	for range n {
		pod := b.pod(w)
		ms = append(ms, b.timed(c, []*corev1.Pod{pod}))
		b.check(c, pod)
		c.Delete(c.Running(pod))
	}
	return ms
}

// check makes sure that what is measured is filtered.
func (b *bench) check(c *cluster.Cluster, pod *corev1.Pod) {
	pod = c.Running(pod)
	if mode := c.Seccomp(pod, "main"); mode != "2" {
		b.Fatal(pod.Name, " has Seccomp: ", mode)
	}
}

// atOnce makes a crowd, and returns the time until the last is ready in ms, and where
// that is asked for the memory of their shims in KiB.
func (b *bench) atOnce(c *cluster.Cluster, w way, memory bool) (ms float64, kib []float64) {
	var pods []*corev1.Pod
	for range crowd {
		pods = append(pods, b.pod(w))
	}
	ms = b.timed(c, pods)
	b.check(c, pods[0])
	if memory {
		time.Sleep(settled)
		for _, pod := range pods {
			dirty, err := node.PrivateDirty(node.Parent(c.Pids(c.Running(pod))["main"]))
			if err != nil {
				b.Fatal(err)
			}
			kib = append(kib, float64(dirty))
		}
	}
	if err := c.Client.CoreV1().Pods("default").DeleteCollection(c.Ctx(), metav1.DeleteOptions{}, metav1.ListOptions{}); err != nil {
		b.Fatal(err)
	}
	c.Eventually(2*time.Minute, "the end of the crowd", func() error {
		list, err := c.Client.CoreV1().Pods("default").List(c.Ctx(), metav1.ListOptions{})
		if err == nil && len(list.Items) > 0 {
			err = fmt.Errorf("%d pods are left", len(list.Items))
		}
		return err
	})
	return ms, kib
}

// timed makes pods and waits until a watch says that all of them are ready.
func (b *bench) timed(c *cluster.Cluster, pods []*corev1.Pod) (ms float64) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	watch, err := c.Client.CoreV1().Pods("default").Watch(ctx, metav1.ListOptions{})
	if err != nil {
		b.Fatal(err)
	}
	defer watch.Stop()
	waiting := make(map[string]bool)
	began := time.Now()
	for _, pod := range pods {
		waiting[pod.Name] = true
		c.Create(pod)
	}
	for event := range watch.ResultChan() {
		pod, ok := event.Object.(*corev1.Pod)
		if !ok {
			continue
		}
		for _, condition := range pod.Status.Conditions {
			if condition.Type == corev1.PodReady && condition.Status == corev1.ConditionTrue {
				delete(waiting, pod.Name)
			}
		}
		if len(waiting) == 0 {
			return float64(time.Since(began).Microseconds()) / 1000
		}
	}
	b.Fatal(len(waiting), " pods did not become ready")
	return math.NaN()
}

// kubeletSeconds is what the kubelet has spent in the runtime's operations that start
// pods since it began, by its own metrics.
func kubeletSeconds(b *bench, c *cluster.Cluster) (sum float64) {
	data, err := c.Client.CoreV1().RESTClient().Get().AbsPath("/api/v1/nodes/" + cluster.NodeName + "/proxy/metrics").DoRaw(c.Ctx())
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		for _, operation := range []string{"run_podsandbox", "create_container", "start_container"} {
			if value, ok := strings.CutPrefix(line, fmt.Sprintf("kubelet_runtime_operations_duration_seconds_sum{operation_type=%q} ", operation)); ok {
				seconds, _ := strconv.ParseFloat(strings.TrimSpace(value), 64)
				sum += seconds
			}
		}
	}
	if sum == 0 {
		b.Fatal("the kubelet has no metrics of the runtime's operations")
	}
	return sum
}
