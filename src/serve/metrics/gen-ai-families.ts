import type { DialectName } from '../../model/inference.ts';
import type { Network } from '../../model/network.ts';
import type { Labels, MetricFamily } from '../../report/openmetrics.ts';
import { bounds } from './buckets.ts';
import { histograms } from './line-families.ts';
import type { Line, Meter, TallyName } from './meter.ts';

/** Families of `/metrics` that go out under the names below in place of their own. */
export const namedByGenAi: ReadonlySet<string> = new Set([
  'inferpath_ttft_seconds',
  'inferpath_inter_token_seconds',
  'inferpath_request_duration_seconds',
]);

/**
 * What the conventions of OpenTelemetry for generative AI have a name for, with the bounds that they advise. Under `gen_ai.server`
 * stands only what a server said of itself in its answers, by its own clock: where no server does, there is nothing of that name.
 */
export function* genAiFamilies(meter: Meter, network: Network): Generator<MetricFamily> {
  const attributes = new Map(network.endpoints.map((endpoint) => [endpoint.name, attributesOf(endpoint)]));
  const lines = [...meter.lines()];
  const labels = ({ endpoint, agent }: Line): Labels => ({
    ...attributes.get(endpoint),
    'inferpath.endpoint': endpoint,
    'inferpath.agent': agent,
  });
  const family = (name: string, help: string, tally: TallyName, wanted: readonly number[]): MetricFamily => ({
    name: `gen_ai.${name}`,
    type: 'histogram',
    help,
    samples: histograms(lines, tally, wanted, labels),
  });
  const { request, ttft } = bounds;
  yield family(
    'client.operation.duration',
    'GenAI operation duration: from the begin of a request to its last token.',
    'totalMs',
    request,
  );
  yield family(
    'client.operation.time_to_first_chunk',
    'From the begin of a request to its first token.',
    'ttftMs',
    request,
  );
  yield family(
    'client.operation.time_per_output_chunk',
    'Time between two token events, all of them after the first.',
    'gap',
    request,
  );
  yield family('server.time_to_first_token', 'As the server itself said in its answers.', 'serverTtft', ttft);
  yield family('server.request.duration', 'As the server itself said in its answers.', 'serverTotal', request);
}

/** Which operation, and which format of a provider, a request is in; `_OTHER` where the file leaves that to the probe. */
const kinds: Record<DialectName | 'auto', [operation: string, provider: string]> = {
  'openai-chat': ['chat', 'openai'],
  'openai-responses': ['chat', 'openai'],
  anthropic: ['chat', 'anthropic'],
  ollama: ['chat', 'ollama'],
  tgi: ['text_completion', 'huggingface'],
  gemini: ['generate_content', 'gcp.gemini'],
  auto: ['chat', '_OTHER'],
};

function attributesOf({ dialect, model }: Network['endpoints'][number]): Labels {
  const [operation, provider] = kinds[dialect];
  return {
    'gen_ai.operation.name': operation,
    'gen_ai.provider.name': provider,
    ...(model === undefined ? {} : { 'gen_ai.request.model': model }),
  };
}
