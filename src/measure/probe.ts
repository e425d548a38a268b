import type { z } from 'zod';
import type { Observation, ObservationKind } from '../model/observation.ts';
import type { Io } from '../wire/io.ts';

/** What a probe is pointed at: one endpoint of the network file, resolved to what the wire needs. */
export interface Target {
  /** Name of the endpoint; `to` of every observation. */
  name: string;
  /** Name of the vantage; `from` of every observation. */
  vantage: string;
  url: URL;
  /** Force an address family. */
  family?: 4 | 6;
  /** host:port → address, instead of asking DNS. */
  resolve?: ReadonlyMap<string, string>;
  /** Trust and client certificate for TLS, as PEM texts. */
  ca?: string | undefined;
  clientCert?: string | undefined;
  clientKey?: string | undefined;
}

/**
 * One way of measuring. Yields observations as they are made; ends by itself, or soon after `signal` aborts with what it
 * has. Never throws for what the network or the peer does: that is an `outcome`.
 */
export interface Probe<Options extends z.ZodType = z.ZodType> {
  kind: ObservationKind;
  about: string;
  options: Options;
  run(target: Target, options: z.output<Options>, io: Io, signal: AbortSignal): AsyncIterable<Observation>;
}
