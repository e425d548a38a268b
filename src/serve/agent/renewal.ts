import type { DurableFiles } from '../../wire/durable-files.ts';
import type { Clock, Log, Random } from '../../wire/io.ts';
import type { Exchange } from './http-exchange.ts';
import { EnrollmentError, type Identity, readIdentity, renew, writeIdentity } from './identity.ts';

export interface RenewalParts {
  files: DurableFiles;
  directory: string;
  exchange: Exchange;
  clock: Clock;
  random: Random;
  log: Log;
  /** New connections are to use the new certificate. */
  onChange: () => void;
}

/** Looked at so often, ms: the wall clock, by which certificates live, may be set at any time. */
const lookEveryMs = 60_000;
/** From attempt to attempt, ms, with as much jitter. */
const retryMs = 60_000;

/**
 * Keeps the certificate fresh: a new key and certificate at two thirds of its life, the old one until the new one is on disk. The
 * server takes both meanwhile, so an answer that gets lost costs one more attempt.
 */
export class Renewal {
  readonly #parts: RenewalParts;
  #identity: Identity;
  #isDoubted = false;
  #isLocked = false;
  #notBeforeMs = -Infinity;
  #wake: () => void = () => undefined;

  constructor(identity: Identity, parts: RenewalParts) {
    this.#identity = identity;
    this.#parts = parts;
  }

  get identity(): Identity {
    return this.#identity;
  }

  /** The server does not know us: perhaps a new certificate helps, or somebody has enrolled us again meanwhile. */
  doubt(): void {
    this.#isDoubted = true;
    this.#wake();
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#parts;
    while (!signal.aborted) {
      const isDue = this.#isDoubted || clock.wallMs() >= this.#identity.renewAtMs;
      if (isDue && clock.monoMs() >= this.#notBeforeMs) await this.#attempt(signal);
      const woken = new Promise<void>((done) => (this.#wake = done));
      const stop = new AbortController();
      const onAbort = () => this.#wake();
      signal.addEventListener('abort', onAbort, { once: true });
      if (!signal.aborted && !(this.#isDoubted && clock.monoMs() >= this.#notBeforeMs))
        await Promise.race([woken, clock.sleep(lookEveryMs / 2, stop.signal).catch(() => undefined)]);
      signal.removeEventListener('abort', onAbort);
      stop.abort();
    }
  }

  async #attempt(signal: AbortSignal): Promise<void> {
    const { files, directory, exchange, clock, random, log, onChange } = this.#parts;
    this.#isDoubted = false;
    this.#notBeforeMs = clock.monoMs() + retryMs * (1 + random.next());
    const onDisk = await readIdentity(files, directory).catch(() => null);
    if (onDisk && onDisk.certificate !== this.#identity.certificate) {
      this.#adopt(onDisk, 'another enrolment');
      return;
    }
    try {
      const next = await renew(exchange, this.#identity, () => clock.wallMs(), signal);
      await writeIdentity(files, directory, next).catch((error: unknown) =>
        log.warn(`the new certificate is in use and cannot be kept for the next start: ${String(error)}`),
      );
      this.#adopt(next, 'its renewal');
    } catch (error) {
      if (!signal.aborted) this.#told(error);
    }
    onChange();
  }

  #adopt(identity: Identity, by: string): void {
    this.#identity = identity;
    this.#parts.log.debug(`a new certificate by ${by}`);
    if (this.#isLocked) this.#parts.log.warn(`the server knows this agent again, by ${by}`);
    this.#isLocked = false;
    this.#parts.onChange();
  }

  #told(error: unknown): void {
    const { log, directory } = this.#parts;
    const isRefused = error instanceof EnrollmentError && (error.status === 401 || error.status === 403);
    if (!isRefused) return log.warn(`cannot renew the certificate, trying again: ${String(error)}`);
    if (!this.#isLocked)
      log.error(
        `the server does not know this agent any more (${error.message}); results are kept meanwhile. ` +
          `Enrol it again: inferpath agent enroll --server ${this.#identity.server} --name ${this.#identity.name} ` +
          `--token TOKEN --pin PIN --state ${directory}`,
      );
    this.#isLocked = true;
  }
}
