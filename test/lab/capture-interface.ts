import { readLive } from '../../src/gather/capture/live-read.ts';
import { type LiveOptions, openInterface } from '../../src/gather/capture/live.ts';
import { rotatingCapture } from '../../src/gather/capture/rotate.ts';
import { labIo } from './lab-io.ts';
import { packetSum } from './packet-sum.ts';

// Captures an interface of its own network namespace until SIGINT, and prints what it saw as JSON: `capture-interface.ts NAME OPTIONS`.
const [, , name = '', text = '{}'] = process.argv;
const { folder, ...options } = JSON.parse(text) as LiveOptions & { folder?: string };
const live = await openInterface(name, options, { platform: process.platform, clock: labIo.clock });
const stop = new AbortController();
process.on('SIGINT', () => stop.abort());
process.stdout.write('open\n');

const seen = packetSum();
const { how, linkType, snapLength } = live;
const rotation =
  folder === undefined
    ? null
    : rotatingCapture({ folder, prefix: 'live', linkType, snapLength, fileBytes: 2 ** 32, files: 2 });
const read = await readLive(
  live,
  (frame) => {
    seen.add(frame);
    rotation?.write(frame);
  },
  { signal: stop.signal },
);
const files = rotation?.close() ?? [];
process.stdout.write(`${JSON.stringify({ seen: seen.result(), how, linkType, files, ...read })}\n`);
