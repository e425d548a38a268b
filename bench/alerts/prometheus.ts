import { execFileSync, spawn } from 'node:child_process';
import { createWriteStream, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { planOf } from '../../src/judge/watch/plan.ts';
import { epochMs, hour, networkOf, samplesOf, type Timeline, type Told } from '../../src/judge/watch/replay.case.ts';
import { freePort } from '../../test/fixtures/free-port.ts';

/**
 * The other side of the comparison: probe_success as blackbox_exporter gives it, scraped when the probes were sent, in the
 * storage of a real Prometheus, which evaluates the rules of the workbook at the very moments of our own evaluations.
 */

/** One series per objective, endpoint and vantage point: 1 where the objective calls the event good. */
export async function writeOpenMetrics(path: string, timelines: readonly Timeline[]): Promise<number> {
  const out = createWriteStream(path);
  let count = 0;
  out.write('# HELP probe_success Displays whether or not the probe was a success\n# TYPE probe_success gauge\n');
  for (const timeline of timelines) {
    const network = networkOf(timeline);
    const deliveries = samplesOf(timeline, network).sort((a, b) => a.sentMs - b.sentMs);
    for (const { slo, endpoint, indicator } of planOf(network).promises) {
      const lines = new Map<string, { newest: number; text: string[] }>();
      for (const { sample, sentMs } of deliveries) {
        if (sample.kind !== indicator.kind || sample.endpoint !== endpoint.name) continue;
        // A server that is down, or cut off from the exporter, scrapes nothing; and nothing is scraped later.
        if (timeline.serverDown?.(sentMs) || timeline.agentCut?.(sample.agent, sentMs)) continue;
        const line = lines.get(sample.agent) ?? { newest: -Infinity, text: [] };
        lines.set(sample.agent, line);
        const atMs = epochMs + sentMs + (timeline.serverAheadMs?.(sentMs) ?? 0);
        // Prometheus refuses what is older than what it has.
        if (atMs <= line.newest) continue;
        line.newest = atMs;
        const value = indicator.limit ? sample.metrics[indicator.limit.metric] : 0;
        const isGood = sample.verdict === 'ok' && (value ?? Infinity) <= (indicator.limit?.max ?? 0);
        const labels = `timeline="${timeline.name}",slo="${slo.name}",instance="${endpoint.name}",vantage="${sample.agent}"`;
        line.text.push(`probe_success{${labels}} ${isGood ? 1 : 0} ${atMs / 1000}\n`);
      }
      for (const { text } of lines.values()) {
        count += text.length;
        if (!out.write(text.join(''))) await once(out, 'drain');
      }
    }
  }
  out.end('# EOF\n');
  await once(out, 'close');
  return count;
}

const ratio = (selector: string, window: string) =>
  `(1 - sum by (instance) (sum_over_time(probe_success{${selector}}[${window}])) / sum by (instance) (count_over_time(probe_success{${selector}}[${window}])))`;

/** The page of the workbook, all vantage points pooled. */
export function workbookPage(timeline: string, slo: string, objective: number): string {
  const selector = `timeline="${timeline}",slo="${slo}"`;
  const budget = Number((1 - objective).toFixed(9));
  const both = (long: string, short: string, factor: number) =>
    `(${ratio(selector, long)} > ${factor} * ${budget} and ${ratio(selector, short)} > ${factor} * ${budget})`;
  return `${both('1h', '5m', 14.4)} or ${both('6h', '30m', 6)}`;
}

export interface Prometheus {
  version: string;
  range(query: string, fromMs: number, toMs: number, stepMs: number): Promise<Map<string, Set<number>>>;
  stop(): Promise<void>;
}

/** A Prometheus on loopback over the given samples. */
export async function startPrometheus(openMetrics: string): Promise<Prometheus> {
  const folder = mkdtempSync(join(tmpdir(), 'inferpath-prometheus-'));
  const data = join(folder, 'data');
  mkdirSync(data);
  execFileSync('promtool', ['tsdb', 'create-blocks-from', 'openmetrics', openMetrics, data], { stdio: 'ignore' });
  writeFileSync(join(folder, 'prometheus.yml'), 'global: {}\n');
  const port = await freePort();
  const child = spawn(
    'prometheus',
    [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${data}`,
      '--storage.tsdb.retention.time=100y',
      '--query.max-samples=500000000',
      '--query.timeout=10m',
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    { stdio: 'ignore' },
  );
  const base = `http://127.0.0.1:${port}`;
  for (let tries = 0; ; tries++) {
    const ready = await fetch(`${base}/-/ready`).then(
      (r) => r.ok,
      () => false,
    );
    if (ready) break;
    if (tries > 300 || child.exitCode !== null) throw new Error('Prometheus does not start');
    await sleep(200);
  }
  const build = (await (await fetch(`${base}/api/v1/status/buildinfo`)).json()) as { data: { version: string } };
  return {
    version: build.data.version,
    range: async (query, fromMs, toMs, stepMs) => {
      const body = new URLSearchParams({
        query,
        start: `${fromMs / 1000}`,
        end: `${toMs / 1000}`,
        step: `${stepMs / 1000}`,
      });
      const reply = await fetch(`${base}/api/v1/query_range`, { method: 'POST', body });
      const json = (await reply.json()) as {
        status: string;
        error?: string;
        data: { result: { metric: { instance: string }; values: [number, string][] }[] };
      };
      if (json.status !== 'success') throw new Error(`Prometheus refuses ${query}: ${json.error ?? reply.status}`);
      return new Map(
        json.data.result.map(({ metric, values }) => [
          metric.instance,
          new Set(values.map(([s]) => Math.round(s * 1000))),
        ]),
      );
    },
    stop: async () => {
      child.kill('SIGTERM');
      if (child.exitCode === null) await once(child, 'exit');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** What Alertmanager makes one notification of, grouped by objective: alerts that join within its group interval. */
const groupMs = 300_000;

/** Pages of the workbook rules, at the moments of our own evaluations. */
export async function pagesOf(prometheus: Prometheus, timeline: Timeline): Promise<Told[]> {
  const network = networkOf(timeline);
  const tickMs = timeline.tickMs ?? 10_000;
  const pages: Told[] = [];
  const objectives = new Map(planOf(network).promises.map(({ slo }) => [slo.name, slo.objective]));
  for (const [slo, objective] of objectives) {
    const warmMs = timeline.warmMs ?? (80 / 60) * hour;
    const query = workbookPage(timeline.name, slo, objective);
    const firing = await prometheus.range(query, epochMs + warmMs - hour, epochMs + timeline.lengthMs + hour, tickMs);
    const before = new Map<string, boolean>();
    let pagedMs = -Infinity;
    for (let ms = warmMs; ms <= timeline.lengthMs; ms += tickMs) {
      if (timeline.serverDown?.(ms)) continue;
      const now = epochMs + ms + (timeline.serverAheadMs?.(ms) ?? 0);
      for (const [instance, times] of firing) {
        const isFiring = times.has(now);
        if (isFiring && !before.get(instance)) {
          if (ms - pagedMs > groupMs)
            pages.push({ atMs: ms, severity: 'page', rule: 'slo-burn', subject: `${slo}/${instance}`, claim: '' });
          pagedMs = ms;
        }
        before.set(instance, isFiring);
      }
    }
  }
  return pages.sort((a, b) => a.atMs - b.atMs);
}
