import { alert } from '../model/alert.ts';
import type { SampleKind, SampleMetric } from '../model/sample.ts';
import type { AlertView } from '../report/status/alert-page.ts';
import type { EndpointLines, LinePoint, StatusView } from '../report/status/view.ts';
import type { ServeContext } from './context.ts';
import { agentInfos } from './routes/agents.ts';

const hourMs = 3_600_000;
const stepMs = 60_000;

/** What the status page shows now. */
export async function statusView(context: ServeContext): Promise<StatusView> {
  const nowMs = context.io.clock.wallMs();
  const fromMs = Math.floor((nowMs - hourMs) / stepMs) * stepMs;
  const [report, tcp, ping, ttft, alerts, agents] = await Promise.all([
    context.current.report(),
    line(context, 'tcp', 'rttMs', fromMs, nowMs),
    line(context, 'ping', 'rttMs', fromMs, nowMs),
    line(context, 'inference', 'ttftMs', fromMs, nowMs),
    context.documents.list('alert'),
    agentInfos(context),
  ]);
  const lines = context.configuration.network.endpoints.map(({ name }): EndpointLines => {
    const rtt = tcp.get(name) ?? ping.get(name) ?? [];
    return { name, rtt, ttft: ttft.get(name) ?? [] };
  });
  return {
    nowMs,
    fromMs,
    stepMs,
    report,
    lines,
    alerts: alerts.flatMap(({ body }) => alert.safeParse(body).data ?? []),
    budgets: context.evaluation
      .slos()
      .map(({ periodMs, ...slo }) => ({ ...slo, periodDays: Math.round(periodMs / (24 * hourMs)) })),
    trouble: troubleOf(context),
    agents: agents.map(({ name, site, lastArrivalMs }) => ({ name, site, lastArrivalMs })),
  };
}

function troubleOf({ keeping, io }: ServeContext): StatusView['trouble'] {
  const trouble = keeping.trouble();
  if (!trouble) return null;
  return { what: trouble.what, isFull: trouble.isFull, forMs: io.clock.monoMs() - trouble.sinceMs };
}

async function line(
  { store }: ServeContext,
  kind: SampleKind,
  metric: SampleMetric,
  fromMs: number,
  toMs: number,
): Promise<Map<string, LinePoint[]>> {
  const points = await store.series({ fromMs, toMs, stepMs, kind, metric, quantiles: [0.5], by: 'endpoint' });
  const lines = new Map<string, LinePoint[]>();
  for (const { endpoint, atMs, ok, bad, quantiles } of points) {
    const list = lines.get(endpoint) ?? [];
    list.push({ atMs, value: quantiles[0] ?? null, ok, bad });
    lines.set(endpoint, list);
  }
  return lines;
}

/** What the page of one alert shows now; null where there is none of this id. */
export async function alertView({ documents, io, version }: ServeContext, id: string): Promise<AlertView | null> {
  const all = (await documents.list('alert')).flatMap(({ body }) => alert.safeParse(body).data ?? []);
  const one = all.find((a) => a.id === id);
  if (!one) return null;
  return {
    nowMs: io.clock.wallMs(),
    version,
    alert: one,
    explainedBy: all.find((a) => a.id === one.suppressedBy) ?? null,
    explains: all.filter((a) => a.suppressedBy === id && a.state !== 'resolved'),
  };
}
