import { createHash } from 'node:crypto';
import { openInterface, type LiveOptions } from '../../src/gather/capture/live.ts';
import { rotatingCapture } from '../../src/gather/capture/rotate.ts';
import { newFrame } from '../../src/wire/pcap/frame.ts';
import { labIo } from './lab-io.ts';

// Captures an interface of its own network namespace until SIGINT, and prints what it saw as JSON: `capture-interface.ts NAME OPTIONS`.
const [, , name = '', text = '{}'] = process.argv;
const { folder, ...options } = JSON.parse(text) as LiveOptions & { folder?: string };
const live = await openInterface(name, options, { platform: process.platform, clock: labIo.clock });
let isOver = false;
process.on('SIGINT', () => (isOver = true));
process.stdout.write('open\n');

const frame = newFrame();
const hash = createHash('sha256');
const line = Buffer.alloc(16);
const rotation =
  folder === undefined
    ? null
    : rotatingCapture({
        folder,
        prefix: 'live',
        linkType: live.linkType,
        snapLength: live.snapLength,
        fileBytes: 1 << 30,
        files: 2,
      });
let [frames, octets, longestTurnMs, turnMs] = [0, 0, 0, labIo.clock.monoMs()];
const drain = () => {
  // In slices: a flood must not keep the event loop from anything else.
  for (let i = 0; i < 20_000 && live.next(frame); i++) {
    frames += 1;
    octets += frame.originalLength;
    line.writeUInt32LE(frame.seconds, 0);
    line.writeUInt32LE(frame.nanoseconds, 4);
    line.writeUInt32LE(frame.originalLength, 8);
    line.writeUInt32LE(frame.end - frame.start, 12);
    hash.update(line).update(frame.bytes.subarray(frame.start, frame.end));
    rotation?.write(frame);
  }
  const nowMs = labIo.clock.monoMs();
  longestTurnMs = Math.max(longestTurnMs, nowMs - turnMs);
  turnMs = nowMs;
};
while (!isOver && live.ended() === null) {
  drain();
  await live.wait(50);
}
// What the kernel has not handed over yet.
await live.wait(300);
drain();
const ended = live.ended();
const statistics = await live.close();
const files = rotation?.close() ?? [];
const { how, linkType } = live;
process.stdout.write(
  `${JSON.stringify({ how, linkType, frames, octets, hash: hash.digest('hex'), statistics, files, ended, longestTurnMs })}\n`,
);
