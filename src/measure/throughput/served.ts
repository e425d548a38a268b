import type { ServedTest } from '../../model/throughput.ts';
import { withPort } from '../../stats/address.ts';

/** One line for a log, and for a client that asks for the server's own words. */
export function describeServed(test: ServedTest): string {
  const { id, client, clientPort, protocol, direction, streams, durationS, receivedBytes, sentBytes, ended, reason } =
    test;
  const peer = withPort(client, clientPort);
  if (protocol === null || durationS === 0) return `#${id} ${peer}: ${ended}${reason === null ? '' : `, ${reason}`}`;
  const parts = [
    `${protocol.toUpperCase()}, ${streams} ${streams === 1 ? 'stream' : 'streams'}, ${durationS.toFixed(1)} s`,
  ];
  if (direction !== 'down') parts.push(`received ${amount(receivedBytes, durationS)}`);
  if (direction !== 'up') parts.push(`sent ${amount(sentBytes, durationS)}`);
  if (test.lost !== null && direction !== 'down') parts.push(`${test.lost} packets lost`);
  if (ended !== 'done') parts.push(`${ended}: ${reason ?? 'no reason given'}`);
  return `#${id} ${peer}: ${parts.join(', ')}`;
}

function amount(bytes: number, durationS: number): string {
  const mbit = (bytes * 8) / 1e6 / durationS;
  return `${(bytes / 1e6).toFixed(1)} MB (${mbit >= 100 ? mbit.toFixed(0) : mbit.toPrecision(3)} Mbit/s)`;
}
