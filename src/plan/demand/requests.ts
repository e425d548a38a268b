import type { Figure } from '../../model/figure.ts';
import type { WorkloadClass } from '../../model/workload.ts';
import { assumed, computed } from '../figures.ts';
import type { Flow } from './flow.ts';
import { ACK_BYTES, eventOnWire, type OnWire, transferOnWire } from './wire.ts';

/** Requests of the users of one site to one place that serves them. */
export interface RequestWork {
  source: string;
  class: WorkloadClass;
  from: string;
  to: string;
  /** Requests a second, for each hour UTC. */
  requestsPerSByHour: readonly number[];
  /** The same in the busiest hour, with its origin. */
  busyRequestsPerS: Figure;
  calls: Figure;
  promptTokens: Figure;
  /** Tokens that the context grows by with each further call. */
  growthTokens: Figure | undefined;
  retrievedTokens: Figure;
  outputTokens: Figure;
  tokensPerS: Figure;
  mediaBytes: Figure;
  /** Bytes of an event: entered, measured, or of the API. */
  eventBytes: Figure;
  tokensPerEvent: Figure;
  bytesPerPromptToken: Figure;
  /** False for scores and other answers that come as a whole. */
  streamed: boolean;
  /** Where documents come from; undefined: from where it is served. */
  retrieveFrom: string | undefined;
  kv: { to: string; deadlineMs: Figure; cachedShare: Figure; bytesPerToken: Figure } | undefined;
}

const userMtu = assumed('MTU to users', 1500, 'B', 'Ethernet and most access networks');
const siteMtu = assumed('MTU between sites', 9000, 'B', 'jumbo frames end to end; check with inferpath mtu');
const accessMbps = assumed('access rate of a user', 100, 'Mbit/s', 'shapes how long an upload lasts, not its mean');
const storeMbps = assumed('rate of one retrieval', 1000, 'Mbit/s', 'shapes how long it lasts, not its mean');
const jsonOverhead = assumed('answer beside its text', 600, 'B', 'JSON around a short answer');
const base64 = 4 / 3;

/** Everything that requests put on the network: up, down, what is looked up, and the KV cache where decoding is elsewhere. */
export function requestFlows(work: RequestWork): Flow[] {
  const callsPerS = computed(
    'calls',
    work.busyRequestsPerS.value * work.calls.value,
    '1/s',
    'requests × calls per request',
    [work.busyRequestsPerS, work.calls],
  );
  const prompt = meanPrompt(work);
  return [
    ...upload(work, prompt, callsPerS),
    ...answer(work, callsPerS),
    ...retrieval(work, callsPerS),
    ...kvTransfer(work, prompt, callsPerS),
  ];
}

/** Tokens of a prompt, as the mean over the calls of a session; what is retrieved is part of it. */
function meanPrompt({ promptTokens, growthTokens, calls, retrievedTokens }: RequestWork): Figure {
  const grown = growthTokens ? (growthTokens.value * (calls.value - 1)) / 2 : 0;
  if (grown === 0 && retrievedTokens.value === 0) return promptTokens;
  return computed(
    'mean prompt',
    promptTokens.value + grown + retrievedTokens.value,
    'tokens',
    'prompt + growth × (calls − 1) ÷ 2 + retrieved',
    [promptTokens, ...(growthTokens ? [growthTokens, calls] : []), retrievedTokens],
  );
}

/** The question goes up without what the server side looks up; pictures and sound go up as base64 (RFC 4648) inside JSON. */
function upload(work: RequestWork, prompt: Figure, callsPerS: Figure): Flow[] {
  const { bytesPerPromptToken, mediaBytes, retrievedTokens } = work;
  const size = computed(
    'prompt upload',
    (prompt.value - retrievedTokens.value) * bytesPerPromptToken.value + mediaBytes.value * base64,
    'B',
    '(prompt − retrieved) × bytes per token + media × 4 ÷ 3',
    [prompt, retrievedTokens, bytesPerPromptToken, mediaBytes],
  );
  return transfer(work, {
    part: 'prompt upload',
    size,
    callsPerS,
    mtu: userMtu,
    rateMbps: accessMbps,
    scope: 'north-south',
    encrypted: true,
  });
}

function answer(work: RequestWork, callsPerS: Figure): Flow[] {
  return work.streamed ? stream(work, callsPerS) : wholeAnswer(work, callsPerS);
}

function stream(work: RequestWork, callsPerS: Figure): Flow[] {
  const { outputTokens, tokensPerS, tokensPerEvent, eventBytes } = work;
  const event = eventOnWire(eventBytes.value);
  const eventsPerS = tokensPerS.value / tokensPerEvent.value;
  const onWire = computed('event on the wire', event.bytes, 'B', 'event + chunk 7 + TLS 22 + TCP/IP 52 + Ethernet 38', [
    eventBytes,
  ]);
  const rate = computed(
    'rate of one stream',
    (event.bytes * 8 * eventsPerS) / 1e3,
    'kbit/s',
    'event on the wire × 8 × tokens per second ÷ tokens per event',
    [onWire, tokensPerS, tokensPerEvent],
  );
  const lastsS = computed(
    'one stream lasts',
    outputTokens.value / tokensPerS.value,
    's',
    'answer ÷ tokens per second',
    [outputTokens, tokensPerS],
  );
  const down: Flow = {
    ...common(work),
    part: 'answer stream',
    from: work.to,
    to: work.from,
    scope: 'north-south',
    law: 'poisson',
    deadlineMs: null,
    bitsPerS: rate.value * 1e3,
    packetsPerS: event.packets * eventsPerS,
    busyByHourUtc: busy(work, lastsS.value),
    figures: [onWire, rate, lastsS, mean(rate, 1e-6, callsPerS, lastsS)],
  };
  return [down, acknowledgements(down, event.acks / event.packets)];
}

function wholeAnswer(work: RequestWork, callsPerS: Figure): Flow[] {
  const size = computed(
    'answer',
    jsonOverhead.value + work.outputTokens.value * work.bytesPerPromptToken.value,
    'B',
    'JSON + answer × bytes per token',
    [jsonOverhead, work.outputTokens, work.bytesPerPromptToken],
  );
  return transfer(
    { ...work, from: work.to, to: work.from },
    { part: 'answer', size, callsPerS, mtu: userMtu, rateMbps: accessMbps, scope: 'north-south', encrypted: true },
  );
}

function retrieval(work: RequestWork, callsPerS: Figure): Flow[] {
  const { retrievedTokens, bytesPerPromptToken, retrieveFrom = work.to } = work;
  if (retrievedTokens.value === 0) return [];
  const size = computed(
    'retrieved text',
    retrievedTokens.value * bytesPerPromptToken.value,
    'B',
    'retrieved × bytes per token',
    [retrievedTokens, bytesPerPromptToken],
  );
  return transfer(
    { ...work, from: retrieveFrom },
    { part: 'retrieval', size, callsPerS, mtu: siteMtu, rateMbps: storeMbps, scope: 'east-west', encrypted: true },
  );
}

/** The KV cache goes from where the prompt was read to where the answer is written, within the time that first token may wait. */
function kvTransfer(work: RequestWork, prompt: Figure, callsPerS: Figure): Flow[] {
  const { kv } = work;
  if (!kv) return [];
  const { size, rate } = kvRate(prompt, kv.bytesPerToken, kv.deadlineMs, kv.cachedShare);
  const onWire = transferOnWire(size.value, siteMtu.value, false);
  const lastsS = kv.deadlineMs.value / 1e3;
  const there: Flow = {
    ...common(work),
    part: 'KV transfer',
    from: work.to,
    to: kv.to,
    scope: 'east-west',
    law: 'poisson',
    deadlineMs: kv.deadlineMs.value,
    bitsPerS: (onWire.bytes * 8) / lastsS,
    packetsPerS: onWire.packets / lastsS,
    busyByHourUtc: busy(work, lastsS),
    figures: [size, rate, callsPerS, wireFigure(size, onWire, siteMtu)],
  };
  return [there, acknowledgements(there, onWire.acks / onWire.packets)];
}

/** Size of the KV cache of a prompt and the payload rate that moves it in time. */
export function kvRate(prompt: Figure, bytesPerToken: Figure, deadlineMs: Figure, cachedShare: Figure) {
  const size = computed(
    'KV cache',
    prompt.value * bytesPerToken.value * (1 - cachedShare.value),
    'B',
    'prompt × KV bytes per token × (1 − share cached there)',
    [prompt, bytesPerToken, cachedShare],
  );
  const rate = computed(
    'rate of one KV transfer',
    (size.value * 8) / (deadlineMs.value / 1e3) / 1e9,
    'Gbit/s',
    'KV cache × 8 ÷ deadline, payload only',
    [size, deadlineMs],
  );
  return { size, rate };
}

interface Transfer {
  part: string;
  size: Figure;
  callsPerS: Figure;
  mtu: Figure;
  rateMbps: Figure;
  scope: Flow['scope'];
  encrypted: boolean;
}

function transfer(work: RequestWork, { part, size, callsPerS, mtu, rateMbps, scope, encrypted }: Transfer): Flow[] {
  const onWire = transferOnWire(size.value, mtu.value, encrypted);
  const lastsS = computed(
    'one transfer lasts',
    (onWire.bytes * 8) / (rateMbps.value * 1e6),
    's',
    'on the wire × 8 ÷ rate',
    [wireFigure(size, onWire, mtu), rateMbps],
  );
  const there: Flow = {
    ...common(work),
    part,
    from: work.from,
    to: work.to,
    scope,
    law: 'poisson',
    deadlineMs: null,
    bitsPerS: rateMbps.value * 1e6,
    packetsPerS: onWire.packets / lastsS.value,
    busyByHourUtc: busy(work, lastsS.value),
    figures: [size, wireFigure(size, onWire, mtu), lastsS, mean(rateMbps, 1e-3, callsPerS, lastsS)],
  };
  return [there, acknowledgements(there, onWire.acks / onWire.packets)];
}

/** What comes back for the segments of a flow: few bits, many packets. */
function acknowledgements(of: Flow, acksPerPacket: number): Flow {
  const perS = of.packetsPerS * acksPerPacket;
  return {
    ...of,
    part: `acknowledgements of ${of.part}`,
    from: of.to,
    to: of.from,
    deadlineMs: null,
    bitsPerS: perS * ACK_BYTES * 8,
    packetsPerS: perS,
    figures: [
      computed(
        'acknowledgements',
        perS,
        '1/s',
        `one of ${ACK_BYTES} B for two segments (RFC 9293 §3.8.6.3), while one runs`,
        [],
      ),
    ],
  };
}

function common(work: RequestWork): Pick<Flow, 'source' | 'class'> {
  return { source: work.source, class: work.class };
}

function busy({ requestsPerSByHour, calls }: RequestWork, lastsS: number): number[] {
  return requestsPerSByHour.map((perS) => perS * calls.value * lastsS);
}

function wireFigure(size: Figure, { bytes, packets }: OnWire, mtu: Figure): Figure {
  return computed('on the wire', bytes, 'B', `payload + ${packets} packets × (TCP/IP 52 + Ethernet 38) + TLS`, [
    size,
    mtu,
  ]);
}

function mean(rate: Figure, toGbps: number, callsPerS: Figure, lastsS: Figure): Figure {
  const value = rate.value * toGbps * callsPerS.value * lastsS.value;
  return computed('mean in the busiest hour', value, 'Gbit/s', 'rate of one × calls × time of one', [
    rate,
    callsPerS,
    lastsS,
  ]);
}
