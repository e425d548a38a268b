import { type LiveOptions, openInterface } from '../../src/gather/capture/live.ts';
import { rotatingCapture } from '../../src/gather/capture/rotate.ts';
import { newFrame } from '../../src/wire/pcap/frame.ts';
import { labIo } from './lab-io.ts';
import { packetSum } from './packet-sum.ts';

// Captures an interface of its own network namespace until SIGINT, and prints what it saw as JSON: `capture-interface.ts NAME OPTIONS`.
const [, , name = '', text = '{}'] = process.argv;
const { folder, ...options } = JSON.parse(text) as LiveOptions & { folder?: string };
const live = await openInterface(name, options, { platform: process.platform, clock: labIo.clock });
const stop = new AbortController();
process.on('SIGINT', () => stop.abort());
process.stdout.write('open\n');

const frame = newFrame();
const seen = packetSum();
const { linkType, snapLength } = live;
const rotation =
  folder === undefined
    ? null
    : rotatingCapture({ folder, prefix: 'live', linkType, snapLength, fileBytes: 2 ** 32, files: 2 });
const drain = () => {
  // In slices: a flood must not keep the event loop from anything else.
  for (let i = 0; i < 20_000 && live.next(frame); i++) {
    seen.add(frame);
    rotation?.write(frame);
  }
};
while (!stop.signal.aborted && live.ended() === null) {
  drain();
  await live.wait(50);
}
// What the kernel has not handed over yet.
for (let i = 0; i < 5; i++) {
  await live.wait(100);
  drain();
}
const ended = live.ended();
const statistics = await live.close();
const files = rotation?.close() ?? [];
process.stdout.write(`${JSON.stringify({ seen: seen.result(), how: live.how, linkType, statistics, files, ended })}\n`);
