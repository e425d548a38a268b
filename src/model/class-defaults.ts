import type { Targets, WorkloadClass } from './workload.ts';

/** A default value and where it comes from; docs/workloads.md is made from these. */
export interface Sourced {
  max: number;
  percentile?: number;
  source: string;
  /** No source gives this very number: it is derived, and `source` says how. */
  own?: true;
}

export interface ClassDefaults {
  about: string;
  /** Prompt and answer size of a measured request, in tokens. */
  promptTokens: number;
  maxTokens: number;
  sizeSource: string;
  targets: Record<keyof Targets, Sourced>;
}

const guidellm = 'guidellm, SLO guide';
const azureTrace = 'Azure LLM inference trace 2023';
const y1541Loss = 'ITU-T Y.1541, IPLR of classes 0 to 4';
const y1541Pdv = 'ITU-T Y.1541, IPDV of classes 0 and 1 (there the 99.9th percentile)';
const oneTokenPdv =
  'one token interval at 50 tokens/s: less cannot disturb the order of tokens, more is seen as a stutter';
const sameAsGap = 'what the percentile of the token gap leaves over, so that the two never contradict';

const interactiveLoss: Sourced = { max: 0.001, source: y1541Loss };
const interactiveStalls: Sourced = { max: 0.01, own: true, source: sameAsGap };

/** The built-in workload classes. Where no source gives a number it is marked as our own choice, with its derivation. */
export const classDefaults: Record<WorkloadClass, ClassDefaults> = {
  chat: {
    about: 'A person reads the answer as it is written.',
    promptTokens: 1000,
    maxTokens: 128,
    sizeSource: `${azureTrace}, conversations: median prompt 1020, median output 129 tokens`,
    targets: {
      networkRttMs: { max: 50, percentile: 99, own: true, source: 'a tenth of the time to first token below' },
      networkPdvMs: { max: 20, percentile: 99, own: true, source: oneTokenPdv },
      networkLoss: interactiveLoss,
      ttftMs: { max: 500, percentile: 99, source: 'MLPerf Inference, Llama 3.1 8B interactive' },
      tokenGapMs: { max: 50, percentile: 99, source: `${guidellm}: chat` },
      stallRate: interactiveStalls,
    },
  },
  finance: {
    about: 'Fraud and payment scoring inside a transaction.',
    promptTokens: 500,
    maxTokens: 16,
    sizeSource: 'our own choice: one transaction with its features in, a score out',
    targets: {
      networkRttMs: {
        max: 10,
        percentile: 99,
        own: true,
        source: 'the low end of vendor figures: 5 to 15 ms each way inside a scoring budget of 30 to 50 ms',
      },
      networkPdvMs: { max: 2, percentile: 99, own: true, source: 'a fifth of the round trip' },
      networkLoss: interactiveLoss,
      ttftMs: { max: 50, percentile: 99, source: 'vendor figures: scoring budget of 30 to 50 ms' },
      tokenGapMs: {
        max: 20,
        percentile: 99,
        source: 'MLPerf Inference, GPT-OSS 120B interactive (time per output token)',
      },
      stallRate: interactiveStalls,
    },
  },
  voice: {
    about: 'A voice agent: speech in, speech out, turn by turn.',
    promptTokens: 500,
    maxTokens: 64,
    sizeSource: 'our own choice: a short conversation, two spoken sentences out',
    targets: {
      networkRttMs: {
        max: 100,
        percentile: 95,
        own: true,
        source: 'the middle of 30 to 200 ms that voice platforms leave to the network in a turn of 800 ms (p95)',
      },
      networkPdvMs: { max: 50, percentile: 99, source: y1541Pdv },
      networkLoss: interactiveLoss,
      ttftMs: { max: 400, percentile: 95, source: 'voice platforms: 200 to 400 ms of a turn of 800 ms (p95)' },
      tokenGapMs: {
        max: 100,
        percentile: 99,
        own: true,
        source:
          'speech at 150 words a minute uses a token every 300 ms or so; a third of that keeps the synthesis ahead',
      },
      stallRate: { max: 0.005, own: true, source: 'half of the other classes: every stall can be heard' },
    },
  },
  copilot: {
    about: 'Completion of code while a person types.',
    promptTokens: 1500,
    maxTokens: 16,
    sizeSource: `${azureTrace}, code: median prompt 1469, median output 13 tokens`,
    targets: {
      networkRttMs: {
        max: 50,
        percentile: 99,
        own: true,
        source: 'a quarter of the 200 ms that GitHub Copilot names as its mean from end to end',
      },
      networkPdvMs: { max: 20, percentile: 99, own: true, source: oneTokenPdv },
      networkLoss: interactiveLoss,
      ttftMs: { max: 500, percentile: 99, source: `${guidellm}: code generation` },
      tokenGapMs: { max: 150, percentile: 99, source: `${guidellm}: code generation` },
      stallRate: interactiveStalls,
    },
  },
  agent: {
    about: 'A program that calls the model many times in a row and waits for each answer.',
    promptTokens: 16_000,
    maxTokens: 256,
    sizeSource:
      'our own choice: a third of the 49,100 tokens and of the 659 tokens out that inference-perf counts, to bound the bill',
    targets: {
      networkRttMs: {
        max: 100,
        percentile: 99,
        own: true,
        source: 'with 22 calls per session (inference-perf) it adds 2.2 s to a session',
      },
      networkPdvMs: { max: 50, percentile: 99, source: y1541Pdv },
      networkLoss: interactiveLoss,
      ttftMs: { max: 2000, percentile: 99, source: 'MLPerf Inference, Llama 2 70B server' },
      tokenGapMs: { max: 200, percentile: 99, source: 'MLPerf Inference, Llama 2 70B server (time per output token)' },
      stallRate: interactiveStalls,
    },
  },
  rag: {
    about: 'Answers over retrieved documents: long prompts, a person waits.',
    promptTokens: 2000,
    maxTokens: 128,
    sizeSource: 'inference-perf catalog: retrieval from 2,000 tokens up; output as chat',
    targets: {
      networkRttMs: { max: 60, percentile: 99, own: true, source: 'a fifth of the time to first token below' },
      networkPdvMs: { max: 50, percentile: 99, source: y1541Pdv },
      networkLoss: interactiveLoss,
      ttftMs: { max: 300, percentile: 99, source: `${guidellm}: RAG` },
      tokenGapMs: { max: 100, percentile: 99, source: `${guidellm}: RAG` },
      stallRate: interactiveStalls,
    },
  },
  batch: {
    about: 'Nobody waits: throughput counts.',
    promptTokens: 1000,
    maxTokens: 256,
    sizeSource: 'our own choice: as chat with a longer answer',
    targets: {
      networkRttMs: {
        max: 400,
        percentile: 95,
        own: true,
        source: 'twice the light time to the antipode and back in fibre (200 ms): any region will do',
      },
      networkPdvMs: { max: 200, percentile: 95, own: true, source: 'half of the round trip' },
      networkLoss: {
        max: 0.01,
        own: true,
        source: 'ten times the interactive classes: TCP repairs it, throughput suffers',
      },
      ttftMs: { max: 6000, percentile: 99, source: 'MLPerf Inference, Llama 3.1 405B server' },
      tokenGapMs: { max: 200, percentile: 95, own: true, source: 'as agent, at a lower percentile' },
      stallRate: { max: 0.05, own: true, source: sameAsGap },
    },
  },
};
