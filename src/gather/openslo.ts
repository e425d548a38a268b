import * as z from 'zod';
import type { SloNote } from '../model/slo-report.ts';
import { printable } from '../model/outcome.ts';

/** Only what is read; everything else of OpenSLO v1 may stand there. */
const metric = z.looseObject({
  metricSource: z
    .looseObject({ type: z.string().optional(), spec: z.record(z.string(), z.unknown()).optional() })
    .optional(),
});
const sliSpec = z.looseObject({ thresholdMetric: metric.optional(), ratioMetric: z.looseObject({}).optional() });
const objective = z.looseObject({
  displayName: z.string().optional(),
  op: z.enum(['lte', 'gte', 'lt', 'gt']).optional(),
  value: z.number().optional(),
  target: z.number().optional(),
  targetPercent: z.number().optional(),
  timeSliceTarget: z.number().optional(),
  timeSliceWindow: z.union([z.number(), z.string()]).optional(),
});
const sloSpec = z.looseObject({
  service: z.string(),
  indicator: z.looseObject({ spec: sliSpec }).optional(),
  indicatorRef: z.string().optional(),
  timeWindow: z
    .array(z.looseObject({ duration: z.string(), isRolling: z.boolean().optional(), calendar: z.unknown().optional() }))
    .optional(),
  budgetingMethod: z.string(),
  objectives: z.array(objective).min(1),
});
const document = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({ name: z.string() }),
  spec: z.unknown(),
});
type Spec = z.infer<typeof sloSpec>;
type Objective = z.infer<typeof objective>;
type Sli = z.infer<typeof sliSpec>;

/** One YAML document and the file that it stood in. */
export interface OpenSloDocument {
  file: string;
  value: unknown;
}

export interface OpenSloResult {
  slos: Record<string, unknown>[];
  notes: SloNote[];
}

/**
 * Objectives of OpenSLO v1 as entries of `watch.slos`. What a query of another tool measures cannot be known: its words are
 * read, and every guess is a note. A `metricSource` of type `inferpath` with `spec: { indicator, probe }` needs no guess.
 * @param endpoints of the network file, where there is one: a service of that name is that endpoint
 */
export function importOpenSlo(
  documents: readonly OpenSloDocument[],
  endpoints: readonly string[] | null,
): OpenSloResult {
  const notes: SloNote[] = [];
  const slos: Record<string, unknown>[] = [];
  const slis = new Map<string, Sli>();
  const known = documents.flatMap(({ file, value }) => {
    const parsed = document.safeParse(value);
    if (parsed.success) return [{ file, ...parsed.data }];
    if (value !== null && value !== undefined)
      notes.push({ file, about: 'document', message: 'is no OpenSLO object (apiVersion, kind, metadata.name, spec)' });
    return [];
  });
  for (const { kind, metadata, spec } of known) {
    const sli = sliSpec.safeParse(spec);
    if (kind === 'SLI' && sli.success) slis.set(metadata.name, sli.data);
  }
  for (const { file, kind, apiVersion, metadata, spec } of known) {
    const about = `${printable(kind, 40)} ${printable(metadata.name, 80)}`;
    const note = (message: string) => notes.push({ file, about, message });
    if (apiVersion !== 'openslo/v1') note(`is of ${printable(apiVersion, 40)}; openslo/v1 is read`);
    else if (kind === 'SLO') {
      const parsed = sloSpec.safeParse(spec);
      if (parsed.success) slos.push(...slosOf(metadata.name, parsed.data, slis, endpoints, note));
      else
        note(
          `cannot be read: ${parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ')}`,
        );
    } else if (!['SLI', 'Service', 'DataSource'].includes(kind))
      note(
        'is left out: alerts follow from the objective (four pairs of windows, which OpenSLO v1 cannot write), receivers from watch.receivers',
      );
  }
  return { slos, notes };
}

type Note = (message: string) => void;

function slosOf(
  name: string,
  spec: Spec,
  slis: ReadonlyMap<string, Sli>,
  endpoints: readonly string[] | null,
  note: Note,
): Record<string, unknown>[] {
  const sli = spec.indicator?.spec ?? (spec.indicatorRef === undefined ? undefined : slis.get(spec.indicatorRef));
  if (!sli) {
    note(`names the indicator ${printable(spec.indicatorRef ?? '(none)', 80)}, which none of the files has`);
    return [];
  }
  return spec.objectives.flatMap((one, i) => {
    const target =
      one.target ?? (one.targetPercent === undefined ? undefined : Number((one.targetPercent / 100).toFixed(9)));
    if (target === undefined || !(target > 0 && target < 1)) {
      note(`has an objective without a target between 0 and 1; left out`);
      return [];
    }
    const indicator = indicatorOf(sli, one, note);
    if (!indicator) return [];
    return [
      {
        name: i === 0 ? slug(name) : slug(`${name}-${i + 1}`),
        ...placeOf(spec.service, endpoints, note),
        ...indicator,
        objective: target,
        window: windowOf(spec, note),
        ...methodOf(spec, one, note),
      },
    ];
  });
}

function slug(name: string): string {
  return (
    name
      .toLowerCase()
      .replace(/[^a-z0-9._-]+/g, '-')
      .replace(/^[^a-z0-9]+/, '')
      .slice(0, 63) || 'slo'
  );
}

function placeOf(service: string, endpoints: readonly string[] | null, note: Note): { endpoints?: string[] } {
  if (endpoints === null || endpoints.includes(service)) return { endpoints: [slug(service)] };
  note(
    `is about the service ${printable(service, 80)}, which is no endpoint of the network file; it holds for all endpoints`,
  );
  return {};
}

/** Words of a query, most telling first. */
const telling: readonly [RegExp, string][] = [
  [/ttft|first.?token/i, 'ttft'],
  [/inter.?token|token.?gap|\bitl\b|tpot/i, 'token-gap'],
  [/rtt|round.?trip|icmp/i, 'network-rtt'],
  [/loss/i, 'network-loss'],
  [/duration|latency|seconds|elapsed/i, 'total'],
];

function indicatorOf(
  { thresholdMetric, ratioMetric }: Sli,
  one: Objective,
  note: Note,
): Record<string, unknown> | null {
  const source =
    thresholdMetric?.metricSource ?? (ratioMetric?.['total'] as z.infer<typeof metric> | undefined)?.metricSource;
  const spec = source?.spec ?? {};
  const own =
    source?.type === 'inferpath'
      ? { indicator: spec['indicator'], ...(spec['probe'] === undefined ? {} : { probe: spec['probe'] }) }
      : null;
  if (!thresholdMetric) {
    if (!own) note('counts good of total events by a query of another tool; taken as availability of the probe');
    return own ?? { indicator: 'availability' };
  }
  if (one.op === 'gt' || one.op === 'gte') {
    note(
      `wants its metric ${one.op === 'gt' ? 'above' : 'at or above'} a value; the indicators here are better when lower; left out`,
    );
    return null;
  }
  const query = Object.values(spec)
    .filter((value) => typeof value === 'string')
    .join(' ');
  const guess = telling.find(([words]) => words.test(query))?.[1] ?? 'total';
  if (!own) note(`measures "${printable(query, 120)}"; taken as ${guess}`);
  const indicator = own ?? { indicator: guess };
  if (one.value === undefined || indicator.indicator === 'network-loss') return indicator;
  const isSeconds = !own && /seconds|(^|[^a-z])s($|[^a-z])/i.test(query) && !/milli/i.test(query);
  if (!own && !isSeconds) note(`has the limit ${one.value} without a unit; taken as ms`);
  return { ...indicator, thresholdMs: Number((isSeconds ? one.value * 1000 : one.value).toFixed(6)) };
}

const days: Record<string, number> = { d: 1, w: 7, M: 30, Q: 90, Y: 365 };

function windowOf({ timeWindow }: Spec, note: Note): string {
  const [window] = timeWindow ?? [];
  if (!window) {
    note('has no time window; taken as 30d');
    return '30d';
  }
  const [, number = '', unit = ''] = /^(\d+)(ms|[smhdwMQY])$/.exec(window.duration) ?? [];
  if (unit === '') {
    note(`has the time window ${printable(window.duration, 40)}, which is no duration; taken as 30d`);
    return '30d';
  }
  const whole = days[unit] === undefined ? `${number}${unit}` : `${Number(number) * days[unit]}d`;
  if (window.calendar !== undefined || window.isRolling === false)
    note(`has a window by the calendar; taken as rolling over ${whole}`);
  return whole;
}

function methodOf({ budgetingMethod }: Spec, one: Objective, note: Note): Record<string, unknown> {
  if (budgetingMethod === 'Occurrences') return {};
  if (budgetingMethod === 'RatioTimeslices')
    note('counts the mean of the ratios of its slices; taken as good slices of all slices');
  const width = one.timeSliceWindow ?? '1m';
  const slice = typeof width === 'number' || /^\d+$/.test(width) ? `${width}m` : width;
  return {
    method: 'timeslices',
    slice,
    ...(one.timeSliceTarget === undefined ? {} : { sliceObjective: one.timeSliceTarget }),
  };
}
