import type { Figure } from '../../model/figure.ts';
import type { InferenceRequest } from '../../model/inference.ts';
import type { Observation } from '../../model/observation.ts';
import { median, sorted } from '../../stats/quantile.ts';

/** What requests to one endpoint showed, each figure absent where too few of them say it. */
export interface MeasuredSizes {
  tokensPerS?: Figure;
  eventBytes?: Figure;
  tokensPerEvent?: Figure;
  bytesPerPromptToken?: Figure;
}

/** Fewer requests than this say nothing about what is usual. */
const LEAST_REQUESTS = 5;

/** Sizes by endpoint, from requests that were answered: medians, as those of the library are. */
export function measuredSizes(observations: readonly Observation[]): Map<string, MeasuredSizes> {
  const byEndpoint = new Map<string, InferenceRequest[]>();
  for (const observation of observations) {
    if (observation.kind !== 'inference' || observation.request.outcome.kind !== 'answered') continue;
    const own = byEndpoint.get(observation.to);
    if (own) own.push(observation.request);
    else byEndpoint.set(observation.to, [observation.request]);
  }
  return new Map([...byEndpoint].map(([endpoint, own]) => [endpoint, sizesOf(endpoint, own)]));
}

function sizesOf(endpoint: string, requests: readonly InferenceRequest[]): MeasuredSizes {
  const figure = (name: string, unit: string, what: string, of: (r: InferenceRequest) => number | null) => {
    const values = requests.map(of).filter((v): v is number => v !== null && Number.isFinite(v) && v > 0);
    if (values.length < LEAST_REQUESTS) return undefined;
    const how = `${endpoint}: median of ${values.length} requests, ${what}`;
    return { name, value: median(sorted(values)), unit, origin: 'measured', how } satisfies Figure;
  };
  const all = {
    tokensPerS: figure('tokens per second', '1/s', '1 ÷ time per output token', (r) => r.tpotMs && 1000 / r.tpotMs),
    eventBytes: figure('event', 'B', 'octets received ÷ token events, head and end included', perEvent),
    tokensPerEvent: figure('tokens per event', '', 'output tokens of the server ÷ token events', ({ tokens }) =>
      tokens.output !== null && tokens.events > 0 ? tokens.output / tokens.events : null,
    ),
    bytesPerPromptToken: figure(
      'bytes per token',
      'B',
      'octets sent ÷ prompt tokens of the server',
      ({ upload, tokens }) => (tokens.prompt ? upload.bytes / tokens.prompt : null),
    ),
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

function perEvent({ receivedBytes, tokens }: InferenceRequest): number | null {
  return tokens.events > 0 ? receivedBytes / tokens.events : null;
}
