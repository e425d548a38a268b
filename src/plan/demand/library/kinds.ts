import type { Figure } from '../../../model/figure.ts';
import type { WorkloadTraffic } from '../../../model/network-traffic.ts';
import { assumed, sourced } from '../../figures.ts';

/** Sizes that a kind of work has where the network file says nothing. */
export interface KindRow {
  promptTokens: Figure;
  outputTokens: Figure;
  calls: Figure;
  retrievedTokens: Figure;
  mediaBytes: Figure;
}

const azure = 'Azure LLM inference trace 2023, conversations, mean';
const agentic = 'inference-perf, agentic trace replay, 10,056 traces, mean';
const none = { retrieved: assumed('retrieved tokens', 0, 'tokens', 'none'), media: assumed('media', 0, 'B', 'none') };
const once = assumed('calls per request', 1, '', 'one call answers a request');

const chat: KindRow = {
  promptTokens: sourced('prompt', 1155, 'tokens', azure),
  outputTokens: sourced('answer', 211, 'tokens', azure),
  calls: once,
  retrievedTokens: none.retrieved,
  mediaBytes: none.media,
};

export const kinds: Record<WorkloadTraffic['kind'], KindRow> = {
  chat,
  agents: {
    ...chat,
    promptTokens: sourced('prompt', 49_100, 'tokens', agentic),
    outputTokens: sourced('answer', 659, 'tokens', agentic),
    calls: sourced('calls per request', 22, '', agentic),
  },
  rag: {
    ...chat,
    retrievedTokens: sourced('retrieved tokens', 2000, 'tokens', 'inference-perf catalog: retrieval from 2,000 up'),
  },
  multimodal: {
    ...chat,
    mediaBytes: assumed('media', 500_000, 'B', 'one photograph of 1 megapixel, JPEG at 4 bit per pixel'),
  },
  scoring: {
    ...chat,
    promptTokens: assumed('prompt', 500, 'tokens', 'one transaction with its features'),
    outputTokens: assumed('answer', 16, 'tokens', 'a score'),
  },
};

/** Load of each hour of the day in local time where the file gives none: an office that works from nine to five. */
export const workingHours: readonly number[] = [
  0.05, 0.04, 0.03, 0.03, 0.04, 0.08, 0.2, 0.45, 0.8, 1, 1, 0.95, 0.8, 0.9, 1, 0.95, 0.85, 0.6, 0.35, 0.25, 0.2, 0.15,
  0.1, 0.07,
];
