import { type Labels, type MetricFamily, type MetricSample, plain } from '../../report/openmetrics.ts';
import { encodeWriteRequest, type WriteMetadata, type WriteSeries } from '../../wire/remote-write.ts';
import { snappyBlock } from '../../wire/snappy.ts';

/** As many series as one request has at least when there are more: a histogram is never torn. */
const fullAt = 2000;
/** More are left out of a push: what has been sent is remembered, and that has to stay within tens of megabytes. */
const mostSeries = 500_000;

export interface WriteBatch {
  body: Buffer;
  series: number;
}

/** What the last push had, so that what is gone can be ended (remote-write 1.0, "stale markers"). */
export class RemoteWriter {
  #before = new Set<string>();
  readonly #external: Labels;

  constructor(external: Labels) {
    this.#external = external;
  }

  /** One push, as bodies of requests that are made while they are sent. Only one that is read to its end counts as sent. */
  *batches(families: Iterable<MetricFamily>, atMs: number): Generator<WriteBatch> {
    const now = new Set<string>();
    let series: WriteSeries[] = [];
    let metadata: WriteMetadata[] = [];
    const take = (): WriteBatch => {
      const body = snappyBlock(encodeWriteRequest(series, atMs, metadata));
      const batch = { body, series: series.length };
      [series, metadata] = [[], []];
      return batch;
    };
    for (const { name, type, help, samples } of families) {
      let isTold = false;
      for (const sample of samples) {
        if (now.size >= mostSeries) break;
        if (!isTold) metadata.push({ family: name, type, help });
        isTold = true;
        for (const one of seriesOf(name, sample, this.#external)) {
          series.push(one);
          now.add(keyOf(one.labels));
        }
        if (series.length >= fullAt) yield take();
      }
    }
    for (const key of this.#before) {
      // What stays unsent now is ended by a later push.
      if (now.has(key)) continue;
      series.push({ labels: labelsOf(key), value: 'stale' });
      if (series.length >= fullAt) yield take();
    }
    if (series.length > 0) yield take();
    this.#before = now;
  }
}

function* seriesOf(name: string, sample: MetricSample, external: Labels): Generator<WriteSeries> {
  const series = (suffix: string, value: number, more: Labels = {}): WriteSeries => ({
    labels: sorted({ ...external, ...sample.labels, ...more, __name__: `${name}${suffix}` }),
    value,
  });
  if ('value' in sample) {
    yield series('', plain(sample.value));
    return;
  }
  const { bounds, counts, sum } = sample;
  let below = 0;
  for (let i = 0; i < bounds.length; i++) {
    below += counts[i]!;
    // As a scrape of OpenMetrics stores it, so that pushed and scraped series have the same labels.
    yield series('_bucket', below, { le: Number.isInteger(bounds[i]) ? `${bounds[i]}.0` : String(bounds[i]) });
  }
  below += counts[bounds.length]!;
  yield series('_bucket', below, { le: '+Inf' });
  yield series('_sum', plain(sum));
  yield series('_count', below);
}

/** An empty label is no label, and Prometheus refuses it. */
function sorted(labels: Labels): WriteSeries['labels'] {
  const all = Object.entries(labels).filter(([, value]) => value !== '');
  return all.sort(([a], [b]) => (a < b ? -1 : 1));
}

const keyOf = (labels: WriteSeries['labels']): string => labels.flat().join('\0');

function labelsOf(key: string): WriteSeries['labels'] {
  const words = key.split('\0');
  return Array.from({ length: words.length / 2 }, (_, i) => [words[2 * i]!, words[2 * i + 1]!] as const);
}
