import type { Network } from '../model/network.ts';
import type { Slo } from '../model/watch.ts';

/** A file to be written: dashboards as JSON, the file that provisions them as YAML. */
export interface GrafanaFile {
  name: string;
  value: unknown;
}

/**
 * Dashboards for Grafana ≥ 10 over what `/metrics` offers: one of everything, one of an endpoint. Limits are those of the network
 * file's objectives, so a changed file wants another export; endpoints and agents are read from Prometheus.
 */
export function grafanaFiles(network: Network): GrafanaFile[] {
  return [
    { name: 'inferpath-overview.json', value: overview() },
    { name: 'inferpath-endpoint.json', value: endpoint(network) },
    { name: 'provisioning.yaml', value: provisioning },
  ];
}

const provisioning = {
  apiVersion: 1,
  providers: [
    {
      name: 'inferpath',
      folder: 'inferpath',
      type: 'file',
      updateIntervalSeconds: 60,
      options: { path: '/var/lib/grafana/dashboards/inferpath' },
    },
  ],
};

type Query = [expr: string, legend: string];
interface Step {
  color: string;
  value: number | null;
}
interface Panel {
  type: 'timeseries' | 'stat' | 'table' | 'bargauge';
  title: string;
  about: string;
  queries: Query[];
  unit: string;
  steps?: Step[];
  /** Of the 24 columns; default 8. */
  width?: number;
  stacked?: boolean;
  min?: number;
  max?: number;
}

const source = { type: 'prometheus', uid: '${datasource}' };
const falling: Step[] = [
  { color: 'red', value: null },
  { color: 'yellow', value: 0.25 },
  { color: 'green', value: 0.5 },
];
const fromOne = (color: string): Step[] => [
  { color: 'green', value: null },
  { color, value: 1 },
];
const quantile = (q: number, metric: string, select: string, by = 'le') =>
  `histogram_quantile(${q}, sum by (${by}) (rate(${metric}_bucket{${select}}[$__rate_interval])))`;

function overview(): unknown {
  const p95 = (metric: string): Query[] => [[quantile(0.95, metric, '', 'le, endpoint'), '{{endpoint}}']];
  return dashboard(
    'inferpath-overview',
    'inferpath: overview',
    [],
    [
      {
        type: 'stat',
        title: 'Alerts that fire',
        width: 6,
        unit: 'none',
        steps: fromOne('red'),
        about: 'Without those that another one explains.',
        queries: [['sum(inferpath_alerts{state="firing",suppressed="false"}) or vector(0)', 'alerts']],
      },
      {
        type: 'stat',
        title: 'Endpoints that nobody reaches',
        width: 6,
        unit: 'none',
        steps: fromOne('red'),
        about: 'No agent has an answer by its newest probes.',
        queries: [['count(max by (endpoint) (probe_success{endpoint!=""}) == 0) or vector(0)', 'endpoints']],
      },
      {
        type: 'stat',
        title: 'Agents not heard of for 2 minutes',
        width: 6,
        unit: 'none',
        steps: fromOne('orange'),
        about: 'By the clock of the server.',
        queries: [['count(time() - inferpath_agent_last_arrival_timestamp_seconds > 120) or vector(0)', 'agents']],
      },
      {
        type: 'stat',
        title: 'Messages that wait',
        width: 6,
        unit: 'none',
        steps: fromOne('orange'),
        about: 'Pages and others that no receiver has taken yet.',
        queries: [['sum(inferpath_outbox_entries{state="waiting"}) or vector(0)', 'messages']],
      },
      {
        type: 'bargauge',
        title: 'Error budget left',
        width: 12,
        unit: 'percentunit',
        steps: falling,
        max: 1,
        about: 'By the judge: below 0 it is overdrawn.',
        queries: [['min by (slo, endpoint) (inferpath_slo_budget_left_ratio)', '{{slo}} {{endpoint}}']],
      },
      {
        type: 'timeseries',
        title: 'Probes answered',
        width: 12,
        unit: 'percentunit',
        min: 0,
        max: 1,
        about: 'Of those that say something about the endpoint: faults of agents count as nothing.',
        queries: [
          [
            'sum by (endpoint) (rate(inferpath_probe_results_total{result="ok"}[$__rate_interval])) / ' +
              '(sum by (endpoint) (rate(inferpath_probe_results_total{result=~"ok|bad"}[$__rate_interval])) > 0)',
            '{{endpoint}}',
          ],
        ],
      },
      {
        type: 'timeseries',
        title: 'First token, p95',
        about: 'From all agents.',
        unit: 's',
        queries: p95('inferpath_ttft_seconds'),
      },
      {
        type: 'timeseries',
        title: 'Round trip, p95',
        about: 'From all agents and probes.',
        unit: 's',
        queries: p95('inferpath_rtt_seconds'),
      },
      {
        type: 'timeseries',
        title: 'Loss',
        about: 'The worst agent.',
        unit: 'percentunit',
        min: 0,
        queries: [['max by (endpoint) (inferpath_loss_ratio{way="both"})', '{{endpoint}}']],
      },
      {
        type: 'table',
        title: 'Agents: seconds since heard of',
        width: 12,
        unit: 's',
        about: 'By the clock of the server.',
        queries: [['max by (agent) (time() - inferpath_agent_last_arrival_timestamp_seconds)', '{{agent}}']],
      },
      {
        type: 'timeseries',
        title: 'Alerts',
        width: 12,
        unit: 'none',
        stacked: true,
        min: 0,
        about: 'Those that fire, by rule.',
        queries: [
          [
            'sum by (rule) (inferpath_alerts{state="firing",suppressed="false"}) or label_replace(vector(0), "rule", "none", "", "")',
            '{{rule}}',
          ],
        ],
      },
    ],
  );
}

function endpoint(network: Network): unknown {
  const select = 'endpoint="$endpoint",agent=~"$agent"';
  const spread = (metric: string): Query[] =>
    [0.5, 0.95, 0.99].map((q) => [quantile(q, metric, select), `p${q * 100}`]);
  const bounds = (metric: string, who: string): Query => [`max by (bound) (${metric}{${select}})`, `${who}, {{bound}}`];
  return dashboard(
    'inferpath-endpoint',
    'inferpath: endpoint',
    [
      variable('endpoint', 'label_values(inferpath_probe_results_total, endpoint)', false),
      variable('agent', 'label_values(inferpath_probe_results_total{endpoint="$endpoint"}, agent)', true),
    ],
    [
      {
        type: 'stat',
        title: 'Error budget left',
        width: 12,
        unit: 'percentunit',
        steps: falling,
        about: 'By the judge: below 0 it is overdrawn.',
        queries: [['min by (slo) (inferpath_slo_budget_left_ratio{endpoint="$endpoint"})', '{{slo}}']],
      },
      {
        type: 'stat',
        title: 'Answered now',
        width: 12,
        unit: 'none',
        about: 'Newest probe of each agent: 1 answered, 0 not.',
        steps: [
          { color: 'red', value: null },
          { color: 'green', value: 1 },
        ],
        queries: [[`min by (agent, probe) (probe_success{${select}})`, '{{agent}} {{probe}}']],
      },
      {
        type: 'timeseries',
        title: 'Time to first token',
        about: 'From the begin of a request, name resolution and handshakes included.',
        unit: 's',
        steps: limits(network, 'ttft'),
        queries: spread('inferpath_ttft_seconds'),
      },
      {
        type: 'timeseries',
        title: 'Token gaps',
        about: 'Every gap of every answer, and the longest of each answer.',
        unit: 's',
        steps: limits(network, 'token-gap'),
        queries: [
          ...spread('inferpath_inter_token_seconds'),
          [quantile(0.95, 'inferpath_token_gap_max_seconds', select), 'longest, p95'],
        ],
      },
      {
        type: 'timeseries',
        title: 'Whole answer',
        about: 'From the begin of a request to its last token.',
        unit: 's',
        steps: limits(network, 'total'),
        queries: spread('inferpath_request_duration_seconds'),
      },
      {
        type: 'timeseries',
        title: 'Round trip',
        about: 'Of all probes that measure one.',
        unit: 's',
        steps: limits(network, 'network-rtt'),
        queries: spread('inferpath_rtt_seconds'),
      },
      {
        type: 'timeseries',
        title: 'Loss',
        about: 'Newest run of each agent.',
        unit: 'percentunit',
        min: 0,
        queries: [[`max by (agent, probe) (inferpath_loss_ratio{${select},way="both"})`, '{{agent}} {{probe}}']],
      },
      {
        type: 'timeseries',
        title: 'Stalls',
        about: 'Token gaps beyond the limit, by cause.',
        unit: 'none',
        stacked: true,
        min: 0,
        queries: [[`sum by (cause) (increase(inferpath_stalls_total{${select}}[$__rate_interval]))`, '{{cause}}']],
      },
      {
        type: 'timeseries',
        title: 'Phases of the request',
        about: 'Mean over the agents; processing ends with the first token, transfer with the last.',
        width: 12,
        unit: 's',
        stacked: true,
        min: 0,
        queries: [[`avg by (phase) (probe_http_duration_seconds{${select}})`, '{{phase}}']],
      },
      {
        type: 'timeseries',
        title: 'Network or server',
        about: 'Of the newest answers: what is proved of each (low), and what it can be at most (high).',
        width: 12,
        unit: 's',
        min: 0,
        queries: [
          bounds('inferpath_network_time_seconds', 'network'),
          bounds('inferpath_server_time_seconds', 'server'),
        ],
      },
      {
        type: 'timeseries',
        title: 'Hops',
        about: 'A step is another path.',
        width: 12,
        unit: 'none',
        queries: [[`max by (agent, probe) (inferpath_path_hops{${select}})`, '{{agent}} {{probe}}']],
      },
      {
        type: 'stat',
        title: 'Certificate ends in',
        about: 'That of the endpoint itself.',
        width: 12,
        unit: 's',
        steps: [
          { color: 'red', value: null },
          { color: 'yellow', value: 7 * 86_400 },
          { color: 'green', value: 21 * 86_400 },
        ],
        queries: [['min(probe_ssl_earliest_cert_expiry{endpoint="$endpoint"} - time())', 'certificate']],
      },
    ],
  );
}

/** Limits (s) that objectives set for this indicator: the lowest is yellow where there are several, the highest red. */
function limits(network: Network, indicator: Slo['indicator']): Step[] {
  const all = (network.watch?.slos ?? []).flatMap((slo) =>
    slo.indicator === indicator && slo.thresholdMs !== undefined ? [slo.thresholdMs / 1000] : [],
  );
  const sorted = [...new Set(all)].sort((a, b) => a - b);
  return [
    { color: 'green', value: null },
    ...sorted.map((value, i) => ({ color: i === sorted.length - 1 ? 'red' : 'yellow', value })),
  ];
}

function variable(name: string, query: string, several: boolean): unknown {
  return {
    name,
    type: 'query',
    datasource: source,
    query: { query, refId: name },
    refresh: 2,
    sort: 1,
    ...(several && { multi: true, includeAll: true, allValue: '.+', current: { text: 'All', value: '$__all' } }),
  };
}

function dashboard(uid: string, title: string, variables: unknown[], panels: readonly Panel[]): unknown {
  return {
    uid,
    title,
    tags: ['inferpath'],
    schemaVersion: 39,
    editable: true,
    refresh: '30s',
    time: { from: 'now-6h', to: 'now' },
    links: [{ type: 'dashboards', title: 'inferpath', tags: ['inferpath'], asDropdown: false, keepTime: true }],
    templating: {
      list: [{ name: 'datasource', label: 'Prometheus', type: 'datasource', query: 'prometheus' }, ...variables],
    },
    panels: placed(panels),
  };
}

const height = 8;

function placed(panels: readonly Panel[]): unknown[] {
  let [x, y] = [0, 0];
  return panels.map((panel, i) => {
    const { width = 8 } = panel;
    if (x + width > 24) [x, y] = [0, y + height];
    const gridPos = { x, y, w: width, h: height };
    x += width;
    return { id: i + 1, gridPos, ...panelOf(panel) };
  });
}

function panelOf({ type, title, about, queries, unit, steps, stacked = false, min, max }: Panel): object {
  const isNow = type !== 'timeseries';
  const custom = {
    fillOpacity: stacked ? 30 : 0,
    stacking: { mode: stacked ? 'normal' : 'none', group: 'A' },
    thresholdsStyle: { mode: (steps?.length ?? 0) > 1 ? 'line' : 'off' },
  };
  return {
    type,
    title,
    description: about,
    datasource: source,
    targets: queries.map(([expr, legendFormat], i) => ({
      refId: String.fromCodePoint(65 + i),
      datasource: source,
      expr,
      legendFormat,
      ...(isNow
        ? { instant: true, range: false, format: type === 'table' ? 'table' : 'time_series' }
        : { range: true }),
    })),
    fieldConfig: {
      defaults: {
        unit,
        ...(min !== undefined && { min }),
        ...(max !== undefined && { max }),
        ...(steps && { thresholds: { mode: 'absolute', steps } }),
        ...(!isNow && { custom }),
      },
      overrides: [],
    },
  };
}
