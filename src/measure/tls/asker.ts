import type { TlsProbeRow, TlsReply } from '../../model/secure/tls-survey.ts';
import type { Io } from '../../wire/io.ts';
import type { TcpTransport } from '../../wire/tcp/connection.ts';
import type { Offer } from '../../wire/tls/client-hello.ts';
import { allSchemes, suites12, suites13, version } from '../../wire/tls/code-points.ts';
import { ClientHandshake, type Depth, type Heard } from '../../wire/tls/handshake.ts';
import { type KeyShare, makeKeyShare } from '../../wire/tls/key-share.ts';
import { type Conversation, converse, type Cut, piecesOf, type Way } from './converse.ts';
import { inOrder, Turns } from './turns.ts';

/** One question of the survey. */
export interface Question {
  id: string;
  about: string;
  offer: Partial<Offer>;
  depth: Depth;
  cut?: Cut | null;
}

export interface Answer {
  row: TlsProbeRow;
  reply: TlsReply;
  heard: Heard;
}

export interface AskerOptions {
  way: Way;
  serverName: string | null;
  alpn: readonly string[];
  /** Least time between the starts of two connections. */
  intervalMs: number;
  /** Connections that may be open at the same time. */
  atOnce: number;
  onAnswer?: ((row: TlsProbeRow) => void) | undefined;
}

/** Asks questions, one connection each, never more often nor more at once than allowed; remembers all answers. */
export class Asker {
  readonly rows: TlsProbeRow[] = [];
  readonly answers: Answer[] = [];
  mssBytes: number | null = null;
  readonly #options: AskerOptions;
  readonly #transport: TcpTransport;
  readonly #io: Io;
  readonly #signal: AbortSignal;
  readonly #shares = new Map<number, KeyShare>();
  readonly #turns: Turns;
  readonly #questions = new Map<string, Question>();
  #nextMs = 0;

  constructor(options: AskerOptions, transport: TcpTransport, io: Io, signal: AbortSignal) {
    this.#options = options;
    this.#transport = transport;
    this.#io = io;
    this.#signal = signal;
    this.#turns = new Turns(options.atOnce);
  }

  get isInterrupted(): boolean {
    return this.#signal.aborted;
  }

  /** Questions that do not wait for each other. */
  all<T>(questions: readonly (() => Promise<T>)[]): Promise<T[]> {
    return inOrder(questions, this.#options.atOnce);
  }

  /**
   * A server that takes one connection after the other, or a limit on the way, must not look like a fault of the question: what
   * goes wrong beside other connections is asked again without them, and only that answer counts.
   */
  async ask(question: Question): Promise<Answer> {
    this.#questions.set(question.id, question);
    const { value, hadCompany } = await this.#turns.together(() => this.#askOnce(question));
    const isDoubtful = hadCompany && !this.isInterrupted && doubtful.has(value.reply.kind);
    return this.#kept(isDoubtful ? await this.#turns.alone(() => this.#askAgain(question)) : value);
  }

  async #askAgain(question: Question): Promise<Answer> {
    await this.#io.clock.sleep(settleMs, this.#signal).catch(() => undefined);
    return this.#askOnce(question);
  }

  #kept(answer: Answer): Answer {
    // What was not asked any more is no row: an interrupted run ends with what it has.
    if (answer.reply.kind === 'interrupted') return answer;
    this.rows.push(answer.row);
    this.answers.push(answer);
    this.#options.onAnswer?.(answer.row);
    return answer;
  }

  /** What was written, or would be now, for a question that was asked: the first ClientHello in its pieces. */
  octetsOf(id: string): Uint8Array[] {
    const question = this.#questions.get(id);
    return question ? piecesOf(this.#handshakeFor(question).start(), question.cut ?? null) : [];
  }

  async #askOnce(question: Question): Promise<Answer> {
    await this.pace();
    const { id, about, cut = null } = question;
    const at = new Date(this.#io.clock.wallMs()).toISOString();
    const handshake = this.#handshakeFor(question);
    const talk = await converse(this.#options.way, handshake, cut, this.#transport, this.#io, this.#signal);
    this.mssBytes ??= talk.mssBytes;
    return { row: rowOf(id, about, at, talk), reply: talk.reply, heard: talk.heard };
  }

  #handshakeFor({ offer, depth }: Question): ClientHandshake {
    const { serverName, alpn } = this.#options;
    const whole = { ...anyTls13, serverName, alpn, ...offer };
    this.#makeShares(whole.shares);
    return new ClientHandshake(whole, depth, [...this.#shares.values()]);
  }

  /** Each takes the next free moment, so that those who wait together do not go together. */
  async pace(): Promise<void> {
    const nowMs = this.#io.clock.monoMs();
    const turnMs = Math.max(nowMs, this.#nextMs);
    this.#nextMs = turnMs + this.#options.intervalMs;
    if (turnMs > nowMs) await this.#io.clock.sleep(turnMs - nowMs, this.#signal).catch(() => undefined);
  }

  /** One key per group for the whole survey: no secret of ours is ever used, and a server cannot tell it from a retry. */
  #makeShares(groups: readonly number[]): void {
    for (const group of groups) if (!this.#shares.has(group)) this.#shares.set(group, makeKeyShare(group));
  }
}

/** Until a server has seen the end of the connections before. */
const settleMs = 100;

const doubtful: ReadonlySet<TlsReply['kind']> = new Set(['timedOut', 'reset', 'closed', 'malformed', 'unreached']);

const rowOf = (id: string, about: string, at: string, talk: Conversation): TlsProbeRow => ({
  id,
  about,
  at,
  sentBytes: talk.sentBytes,
  pieces: talk.pieces,
  segments: talk.mssBytes === null ? null : segments(talk.pieces, talk.mssBytes),
  receivedBytes: talk.heard.receivedBytes,
  durationMs: talk.durationMs,
  connectRttMs: talk.connectRttMs,
  reply: talk.reply,
});

const segments = (pieces: readonly number[], mssBytes: number): number =>
  pieces.reduce((sum, bytes) => sum + Math.ceil(bytes / Math.max(1, mssBytes)), 0);

const anyTls13: Omit<Offer, 'serverName' | 'alpn'> = {
  versions: [version.tls13],
  suites: suites13,
  groups: [],
  shares: [],
  schemes: allSchemes,
};

/** Versions and suites of a client that takes TLS 1.2 as well. */
export const orTls12 = { versions: [version.tls13, version.tls12], suites: [...suites13, ...suites12] };
