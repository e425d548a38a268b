import { catalog } from '../../src/serve/metrics/catalog.ts';
import { bounds } from '../../src/serve/metrics/buckets.ts';
import { code, generatedNote, table } from './markdown.ts';

const histograms = {
  inferpath_rtt_seconds: bounds.rtt,
  inferpath_ttft_seconds: bounds.ttft,
  'inferpath_inter_token_seconds, inferpath_token_gap_max_seconds': bounds.tokenGap,
  inferpath_request_duration_seconds: bounds.request,
};

/** docs/reference/metrics.md: every metric of /metrics. */
export function metricsReference(): string {
  const parts = [
    generatedNote,
    '# Metrics of the server',
    'What `/metrics` of `inferpath serve` and `up` holds. How to scrape it and what to make of it is told in [metrics.md](../metrics.md).',
    table(
      ['Metric', 'Type', 'Labels', 'What it is'],
      Object.entries(catalog).map(([name, { type, labels, help }]) => [
        code(name),
        type,
        labels.map(code).join(', '),
        help,
      ]),
    ),
    '## Bounds of the histograms',
    table(
      ['Histogram', 'Upper bounds, s'],
      Object.entries(histograms).map(([names, list]) => [names.split(', ').map(code).join(', '), list.join(', ')]),
    ),
  ];
  return `${parts.join('\n\n')}\n`;
}
