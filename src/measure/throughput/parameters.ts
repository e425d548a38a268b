import * as z from 'zod';
import { IperfProtocolError, PARAMETERS_MAX_BYTES } from '../../wire/iperf/control.ts';
import type { ControlChannel, Wait } from '../../wire/iperf/channel.ts';

/** What a client asks for, in iperf3's own names; unknown keys are ignored, as iperf3 does. */
const flag = z
  .union([z.boolean(), z.literal(0), z.literal(1)])
  .transform(Boolean)
  .default(false);
const count = z.number().int().nonnegative();

const schema = z.object({
  tcp: flag,
  udp: flag,
  sctp: flag,
  omit: count.max(600).default(0),
  time: count.max(86_400).default(0),
  num: count.max(Number.MAX_SAFE_INTEGER).default(0),
  blockcount: count.max(Number.MAX_SAFE_INTEGER).default(0),
  parallel: count.min(1).max(128).default(1),
  reverse: flag,
  bidirectional: flag,
  len: count
    .min(1)
    .max(1 << 20)
    .optional(),
  bandwidth: z.number().nonnegative().max(1e15).default(0),
  window: count.max(512 << 20).default(0),
  MSS: count.max(32_767).default(0),
  nodelay: flag,
  TOS: count.max(255).optional(),
  congestion: z
    .string()
    .regex(/^[\w-]{1,15}$/)
    .optional(),
  title: z.string().max(256).optional(),
  extra_data: z.string().max(4096).optional(),
  get_server_output: flag,
  udp_counters_64bit: flag,
  client_version: z.string().max(64).optional(),
});
export type IperfParameters = z.output<typeof schema>;

export const TCP_BLOCK_BYTES = 131_072;
const UDP_BLOCK_BYTES = 1460;
const UDP_HEADER_ROOM_BYTES = 16;
export const UDP_BLOCK_MAX_BYTES = 65_507;
/** iperf3's own: UDP without a rate would be a flood. */
export const UDP_DEFAULT_BITS_PER_S = 1_048_576;

/** @throws IperfProtocolError that names what is wrong */
export function parseParameters(value: unknown): IperfParameters & { len: number } {
  const parsed = schema.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new IperfProtocolError(`parameter ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'is wrong'}`);
  }
  const p = parsed.data;
  if (p.sctp) throw new IperfProtocolError('SCTP is not spoken here');
  const len = p.len ?? (p.udp ? UDP_BLOCK_BYTES : TCP_BLOCK_BYTES);
  if (p.udp && (len < UDP_HEADER_ROOM_BYTES || len > UDP_BLOCK_MAX_BYTES))
    throw new IperfProtocolError(`parameter len: ${len} does not fit a datagram`);
  return { ...p, len };
}

export async function readParameters(channel: ControlChannel, wait: Wait): Promise<IperfParameters & { len: number }> {
  return parseParameters(await channel.json(PARAMETERS_MAX_BYTES, wait));
}

/** The fields that a client sends: what is false or 0 by default is left out, as iperf3 leaves it out. */
export function parametersJson(p: Partial<IperfParameters>): Record<string, unknown> {
  const required = {
    omit: 0,
    time: 0,
    num: 0,
    blockcount: 0,
    parallel: 1,
    pacing_timer: 1000,
    client_version: 'inferpath',
  };
  const given = Object.entries(p).filter(([, v]) => v !== undefined && v !== false && v !== 0);
  return { ...required, ...Object.fromEntries(given) };
}
