import type { CaptureFlow } from '../../model/capture/flow.ts';
import type { JudgedExchange } from '../../model/capture/judged.ts';
import type { FlowWithExchanges } from '../../model/capture/report.ts';
import { Tally, Worst } from './summary.ts';

/** Exchanges of one conversation that are listed; connections that live for days have no end of them. */
const maxExchanges = 1000;

/** Of which conversations all is told: of each, or of so many of the worst. */
export type Told = 'all' | number;

/** Puts exchanges to their conversations, and adds all of them up. */
export class WholeFlows {
  readonly tally = new Tally();
  readonly #worst: Worst | null;
  readonly #exchanges = new Map<number, { listed: JudgedExchange[]; notListed: number }>();

  constructor(told: Told) {
    this.#worst = told === 'all' ? null : new Worst(told);
  }

  exchange(flow: number, judged: JudgedExchange): void {
    const known = this.#exchanges.get(flow);
    if (!known) this.#exchanges.set(flow, { listed: [judged], notListed: 0 });
    else if (known.listed.length < maxExchanges) known.listed.push(judged);
    else known.notListed += 1;
  }

  /** A conversation is over. @returns all of it; null: that is more than was asked for */
  end(flow: CaptureFlow): FlowWithExchanges | null {
    const exchanges = this.#exchanges.get(flow.number);
    this.#exchanges.delete(flow.number);
    // Key by key, since spread is slow for so many.
    const whole: FlowWithExchanges = {
      number: flow.number,
      protocol: flow.protocol,
      client: flow.client,
      server: flow.server,
      tunnel: flow.tunnel,
      startMs: flow.startMs,
      durationMs: flow.durationMs,
      packets: flow.packets,
      octets: flow.octets,
      tcp: flow.tcp,
      quic: flow.quic,
      exchanges: exchanges?.listed ?? [],
      exchangesNotListed: exchanges?.notListed ?? 0,
      pattern: notYet,
    };
    this.tally.add(whole);
    return !this.#worst || this.#worst.add(whole) ? whole : null;
  }
}

/** What a conversation looks like is known when others are over, too. */
const notYet: FlowWithExchanges['pattern'] = {
  class: 'other',
  confidence: 'low',
  rule: 'none',
  why: 'not looked at yet',
  direction: 'transit',
  from: '',
  to: '',
};
