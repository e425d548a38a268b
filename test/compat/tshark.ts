import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { type WiresharkFlag, wiresharkFlag } from '../../src/gather/capture/compat/flags.ts';

export const flagNames = Object.keys(wiresharkFlag) as WiresharkFlag[];
const values = [
  'frame.number',
  'ip.src',
  'ip.dst',
  'ipv6.src',
  'ipv6.dst',
  'tcp.srcport',
  'tcp.dstport',
  'udp.srcport',
  'udp.dstport',
  'tcp.len',
  'tcp.seq_raw',
  'tcp.stream',
  'tcp.analysis.duplicate_ack_num',
  'tcp.analysis.duplicate_ack_frame',
  'tcp.analysis.acks_frame',
  'tcp.analysis.ack_rtt',
  'tcp.analysis.rto_frame',
  'tcp.analysis.rto',
  'tcp.analysis.initial_rtt',
  'frame.protocols',
] as const;

export type TsharkField = (typeof values)[number];
export interface TsharkPacket {
  fields: Record<TsharkField, string>;
  flags: number;
}

/** Every packet of a file as the stock tshark dissects it: one pass, default preferences, the innermost of each field. */
export async function* tshark(file: string): AsyncGenerator<TsharkPacket> {
  const names = [...values, ...flagNames.map((name) => `tcp.analysis.${name}`)];
  const args = ['-n', '-r', file, '-T', 'fields', '-E', 'separator=|', '-E', 'occurrence=l'];
  const process = spawn('tshark', [...args, ...names.flatMap((name) => ['-e', name])], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  for await (const line of createInterface({ input: process.stdout })) {
    const cells = line.split('|');
    const fields = Object.fromEntries(values.map((name, i) => [name, cells[i] ?? ''])) as TsharkPacket['fields'];
    let flags = 0;
    for (const [i, name] of flagNames.entries()) if (cells[values.length + i]) flags |= wiresharkFlag[name];
    yield { fields, flags };
  }
}

/** Seconds with nine decimals, as tshark prints times. */
export function secondsText(ns: number): string {
  if (ns === 0) return '';
  const digits = String(Math.abs(ns)).padStart(10, '0');
  return `${ns < 0 ? '-' : ''}${digits.slice(0, -9)}.${digits.slice(-9)}`;
}
