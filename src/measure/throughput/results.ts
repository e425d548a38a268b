import * as z from 'zod';
import type { ControlChannel, Wait } from '../../wire/iperf/channel.ts';
import { IperfProtocolError, RESULTS_MAX_BYTES } from '../../wire/iperf/control.ts';

/** iperf3 3.12 prints −1 as 18446744073709551615: whatever does not fit 63 bits is meant to be −1, "unknown". */
const signed = z.number().transform((n) => (n >= 2 ** 63 ? -1 : n));
const amount = signed.pipe(z.number().min(-1));
/** What a peer says of time or CPU: finite, not negative, not absurd. */
const share = z.number().nonnegative().max(1e9);

const streamResult = z.object({
  id: z.number().int().min(1).max(1000),
  bytes: amount,
  retransmits: amount.default(-1),
  jitter: z.number().default(0),
  errors: signed.default(0),
  packets: amount.default(0),
  omitted_errors: signed.default(0),
  omitted_packets: amount.default(0),
  start_time: share.default(0),
  end_time: share.default(0),
});
export type StreamResult = z.output<typeof streamResult>;

/** Ours beside iperf3's: what only the sender's kernel knows. Stock iperf3 skips it. */
export const senderFacts = z.object({
  elapsedMs: share,
  busyMs: share,
  rwndLimitedMs: share,
  sndbufLimitedMs: share,
  busiestThread: share,
  waitedForCore: share,
});
export type SenderFacts = z.output<typeof senderFacts>;

const schema = z.object({
  cpu_util_total: share.default(0),
  cpu_util_user: share.default(0),
  cpu_util_system: share.default(0),
  sender_has_retransmits: signed.default(-1),
  congestion_used: z.string().max(64).optional(),
  server_output_text: z.string().optional(),
  streams: z.array(streamResult).max(256),
  inferpath: senderFacts.optional().catch(undefined),
});
export type IperfResults = z.output<typeof schema>;

/** @throws IperfProtocolError that names what is wrong */
export function parseResults(value: unknown): IperfResults {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new IperfProtocolError(`results ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'are wrong'}`);
}

export async function readResults(channel: ControlChannel, wait: Wait): Promise<IperfResults> {
  return parseResults(await channel.json(RESULTS_MAX_BYTES, wait));
}
