import type { Labels, MetricFamily, MetricSample } from './openmetrics.ts';

/** Who sends the metrics, and since when what it counts is counted. */
export interface OtlpSource {
  resource: Labels;
  version: string;
  startMs: number;
  atMs: number;
}

/** As many points as one request has at most: some hundred kilobytes. */
const mostPoints = 2000;
/** AGGREGATION_TEMPORALITY_CUMULATIVE: a push that is lost loses no event. */
const cumulative = 2;

/**
 * The families as bodies of `ExportMetricsServiceRequest` in the JSON encoding of OTLP 1.x, one for each request. Names are those of
 * OpenTelemetry: with the unit beside the name and not in it, so that a collector makes the names of `/metrics` of them again.
 */
export function* otlpRequests(families: Iterable<MetricFamily>, source: OtlpSource): Generator<OtlpRequest> {
  let metrics: object[] = [];
  let points = 0;
  const take = (): OtlpRequest => {
    const body = JSON.stringify(requestOf(metrics, source));
    const taken = { body, points };
    [metrics, points] = [[], 0];
    return taken;
  };
  for (const family of families) {
    let dataPoints: object[] = [];
    for (const sample of family.samples) {
      const point = pointOf(sample, source);
      if (point === null) continue;
      dataPoints.push(point);
      if (++points < mostPoints) continue;
      metrics.push(metricOf(family, dataPoints));
      dataPoints = [];
      yield take();
    }
    if (dataPoints.length > 0) metrics.push(metricOf(family, dataPoints));
  }
  if (points > 0) yield take();
}

export interface OtlpRequest {
  body: string;
  points: number;
}

function requestOf(metrics: object[], { resource, version }: OtlpSource): object {
  return {
    resourceMetrics: [
      {
        resource: { attributes: attributesOf(resource) },
        scopeMetrics: [{ scope: { name: 'inferpath', version }, metrics }],
      },
    ],
  };
}

function metricOf({ name, type, help }: MetricFamily, dataPoints: object[]): object {
  const head = { ...otlpName(name), description: help };
  if (type === 'histogram') return { ...head, histogram: { aggregationTemporality: cumulative, dataPoints } };
  if (type === 'counter')
    return { ...head, sum: { aggregationTemporality: cumulative, isMonotonic: true, dataPoints } };
  return { ...head, gauge: { dataPoints } };
}

/** JSON has no NaN: a point without a value is left out. 64-bit numbers are strings there (ProtoJSON). */
function pointOf(sample: MetricSample, { startMs, atMs }: OtlpSource): object | null {
  const head = {
    attributes: attributesOf(sample.labels),
    startTimeUnixNano: nanoseconds(startMs),
    timeUnixNano: nanoseconds(atMs),
  };
  if ('value' in sample) return Number.isFinite(sample.value) ? { ...head, asDouble: sample.value } : null;
  const counts = Array.from(sample.counts);
  return {
    ...head,
    count: String(counts.reduce((sum, count) => sum + count, 0)),
    sum: sample.sum,
    bucketCounts: counts.map(String),
    explicitBounds: sample.bounds,
  };
}

const nanoseconds = (ms: number): string => `${Math.round(ms)}000000`;

function attributesOf(labels: Labels): object[] {
  return Object.entries(labels).map(([key, value]) => ({ key, value: { stringValue: value } }));
}

/** Units of UCUM by how the name of Prometheus ends. */
const units = [
  ['_bits_per_second', 'bit/s'],
  ['_seconds', 's'],
  ['_bytes', 'By'],
  ['_ratio', '1'],
] as const;

function otlpName(name: string): { name: string; unit: string } {
  if (name.startsWith('gen_ai.')) return { name, unit: 's' };
  const bare = name.replace(/^inferpath_/, '').replace(/_total$/, '');
  const [suffix, unit] = units.find(([end]) => bare.endsWith(end)) ?? ['', ''];
  return { name: `inferpath.${bare.slice(0, bare.length - suffix.length)}`, unit };
}
