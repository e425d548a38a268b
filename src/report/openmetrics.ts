/** One family of metrics: a name with its meaning, and the samples of it. */
export interface MetricFamily extends MetricHead {
  samples: Iterable<MetricSample>;
}

export interface MetricHead {
  /** Whole name as Prometheus stores it: a counter ends in `_total`, an info in `_info`. */
  name: string;
  type: 'counter' | 'gauge' | 'histogram' | 'info';
  help: string;
}

export type MetricSample = Labelled & (OneValue | Buckets);
interface Labelled {
  labels: Labels;
}
export interface OneValue {
  value: number;
}
/** Of a histogram. `counts` has one entry more than `bounds`: what lies above the last; not yet summed up. */
export interface Buckets {
  bounds: readonly number[];
  counts: ArrayLike<number>;
  sum: number;
}
export type Labels = Readonly<Record<string, string>>;

/** `openmetrics`: OpenMetrics 1.0; `classic`: text format 0.0.4, which older scrapers and the textfile collector read. */
export type MetricFormat = 'openmetrics' | 'classic';

/** The families as text, one piece for each, so that a large exposition need not be in memory at once. */
export function* renderMetrics(families: Iterable<MetricFamily>, format: MetricFormat): Generator<string> {
  for (const family of families) {
    let text = '';
    for (const sample of family.samples) text += sampleText(family.name, sample);
    // A family without samples says nothing, and some parsers want none.
    if (text !== '') yield metricHead(family, format) + text;
  }
  if (format === 'openmetrics') yield metricsEnd;
}

export const metricsEnd = '# EOF\n';

/** OpenMetrics names the family (RFC-to-be §5.1.3: without `_total`, `_info`) and its unit; the classic format the samples. */
export function metricHead({ name, type, help }: MetricHead, format: MetricFormat): string {
  if (format === 'classic')
    return `# HELP ${name} ${helpText(help)}\n# TYPE ${name} ${type === 'info' ? 'gauge' : type}\n`;
  const family = name.replace(/_(total|info)$/, (suffix, word: string) => (suffixOf[type] === word ? '' : suffix));
  const unit = /_(seconds|bytes|ratio|celsius)$/.exec(family)?.[1];
  return `# TYPE ${family} ${type}\n${unit === undefined ? '' : `# UNIT ${family} ${unit}\n`}# HELP ${family} ${helpText(help)}\n`;
}

const suffixOf: Partial<Record<MetricHead['type'], string>> = { counter: 'total', info: 'info' };

export function sampleText(name: string, sample: MetricSample): string {
  const labels = labelsText(sample.labels);
  if ('value' in sample) return `${name}${braced(labels)} ${numberText(sample.value)}\n`;
  const { bounds, counts, sum } = sample;
  const before = labels === '' ? '' : `${labels},`;
  let text = '';
  let below = 0;
  for (let i = 0; i < bounds.length; i++) {
    below += counts[i]!;
    text += `${name}_bucket{${before}le="${boundText(bounds[i]!)}"} ${below}\n`;
  }
  below += counts[bounds.length]!;
  return `${text}${name}_bucket{${before}le="+Inf"} ${below}\n${name}_sum${braced(labels)} ${numberText(sum)}\n${name}_count${braced(labels)} ${below}\n`;
}

const braced = (labels: string) => (labels === '' ? '' : `{${labels}}`);

function labelsText(labels: Labels): string {
  let text = '';
  for (const name in labels) text += `${text === '' ? '' : ','}${name}="${escaped(labels[name]!)}"`;
  return text;
}

function escaped(text: string): string {
  return /[\\"\n]/.test(text) ? text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n') : text;
}

const helpText = (text: string) => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');

/** OpenMetrics wants bounds as floats in one form everywhere: 1.0, not 1. */
function boundText(bound: number): string {
  return Number.isInteger(bound) && Math.abs(bound) < 1e15 ? bound.toFixed(1) : numberText(bound);
}

/** Without binary noise, so that what is pushed has the very value of what is scraped. */
export const plain = (value: number): number => (Number.isFinite(value) ? Number(value.toPrecision(15)) : value);

/** Without binary noise; NaN and infinities as both formats write them. */
function numberText(value: number): string {
  if (Number.isInteger(value)) return String(value);
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
  return String(plain(value));
}

/** Which of both a scraper asks for (RFC 9110 §12.5.1); `*` and nothing get the classic one, as Prometheus' own client does it. */
export function metricFormat(accept: string | null): MetricFormat {
  const wishes = (accept ?? '').split(',').map((part) => {
    const [type = '', ...parameters] = part.split(';').map((word) => word.trim().toLowerCase());
    const q = parameters.find((word) => word.startsWith('q='));
    return { type, q: q === undefined ? 1 : Number(q.slice(2)) || 0 };
  });
  const best = (type: string) => Math.max(0, ...wishes.filter((wish) => wish.type === type).map(({ q }) => q));
  const openMetrics = best('application/openmetrics-text');
  return openMetrics > 0 && openMetrics >= best('text/plain') ? 'openmetrics' : 'classic';
}

export const metricMedia: Readonly<Record<MetricFormat, string>> = {
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
  classic: 'text/plain; version=0.0.4; charset=utf-8',
};
