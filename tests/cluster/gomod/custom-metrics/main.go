// The custom metrics of prometheus-adapter v0.12.0 without its other two APIs: its own command does not compile with the
// libraries of this Kubernetes, its parts do.
package main

import (
	"context"
	"net/http"
	"net/url"
	"os"
	"time"

	"k8s.io/component-base/logs"
	"k8s.io/klog/v2"
	"sigs.k8s.io/custom-metrics-apiserver/pkg/cmd"
	"sigs.k8s.io/custom-metrics-apiserver/pkg/provider"
	"sigs.k8s.io/prometheus-adapter/pkg/client"
	"sigs.k8s.io/prometheus-adapter/pkg/config"
	customprovider "sigs.k8s.io/prometheus-adapter/pkg/custom-provider"
	"sigs.k8s.io/prometheus-adapter/pkg/naming"
)

type adapter struct {
	cmd.AdapterBase
	prometheusURL string
	rules         string
	relist        time.Duration
	maxAge        time.Duration
}

// untimed asks without the adapter's timeout: it takes the time left for a negative one, which Prometheus refuses.
type untimed struct{ client.GenericAPIClient }

func (asked untimed) Do(ctx context.Context, verb, endpoint string, query url.Values) (client.APIResponse, error) {
	query.Del("timeout")
	return asked.GenericAPIClient.Do(ctx, verb, endpoint, query)
}

func main() {
	if err := run(context.Background()); err != nil {
		klog.Fatal(err)
	}
}

func run(ctx context.Context) error {
	asked := &adapter{}
	asked.Name = "custom-metrics"
	flags := asked.Flags()
	flags.StringVar(&asked.prometheusURL, "prometheus-url", "", "where Prometheus is")
	flags.StringVar(&asked.rules, "config", "", "the file of rules: which series are which metrics")
	flags.DurationVar(&asked.relist, "metrics-relist-interval", 10*time.Minute, "how often to look for new series")
	flags.DurationVar(&asked.maxAge, "metrics-max-age", 10*time.Minute, "how old a series may be")
	logs.AddFlags(flags)
	if err := flags.Parse(os.Args); err != nil {
		return err
	}
	answers, err := asked.provide(ctx)
	if err != nil {
		return err
	}
	asked.WithCustomMetrics(answers)
	return asked.Run(ctx)
}

func (asked *adapter) provide(ctx context.Context) (provider.CustomMetricsProvider, error) {
	rules, err := config.FromFile(asked.rules)
	if err != nil {
		return nil, err
	}
	place, err := url.Parse(asked.prometheusURL)
	if err != nil {
		return nil, err
	}
	mapper, err := asked.RESTMapper()
	if err != nil {
		return nil, err
	}
	dynamic, err := asked.DynamicClient()
	if err != nil {
		return nil, err
	}
	namers, err := naming.NamersFromConfig(rules.Rules, mapper)
	if err != nil {
		return nil, err
	}
	api := untimed{client.NewGenericAPIClient(&http.Client{Timeout: 5 * time.Second}, place, http.Header{})}
	prometheus := client.NewClientForAPI(api, http.MethodGet)
	answers, lister := customprovider.NewPrometheusProvider(mapper, dynamic, prometheus, namers, asked.relist, asked.maxAge)
	lister.RunUntil(ctx.Done())
	return answers, nil
}
