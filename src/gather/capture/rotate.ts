import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { type Frame, maxPacketBytes } from '../../wire/pcap/frame.ts';
import { captureHeader, recordLength, writeRecord } from '../../wire/pcap/write.ts';
import { isoTime } from './iso-time.ts';

export interface RotateOptions {
  folder: string;
  /** Beginning of the names; the time of the first packet and a number follow. */
  prefix: string;
  linkType: number;
  snapLength: number;
  /** A new file begins when the old one would get larger, or covers more time, by the times of the packets. */
  fileBytes: number;
  fileSeconds?: number;
  /** Most files that stay; the oldest goes first, and only files of this run. */
  files: number;
}

export interface Rotation {
  /** @throws the error of the file system */
  write(frame: Frame): void;
  /** What is written so far is in the file. */
  flush(): void;
  /** Files that are there, oldest first. */
  close(): readonly string[];
  readonly written: { frames: number; bytes: number; deletedFiles: number };
}

const bufferBytes = 1 << 20;

/**
 * Writes frames into captures, file after file, and deletes the oldest, so that a capture may run for ever: at most `files` × `fileBytes`
 * are on the disk. For this user's eyes only (mode 0600).
 */
export function rotatingCapture(options: RotateOptions): Rotation {
  const { folder, prefix, linkType, snapLength, fileBytes, fileSeconds = Infinity, files } = options;
  const buffer = Buffer.alloc(bufferBytes + maxPacketBytes);
  const names: string[] = [];
  const written = { frames: 0, bytes: 0, deletedFiles: 0 };
  let [fd, filled, size, number, beganSeconds] = [-1, 0, 0, 0, 0];

  const flush = () => {
    for (let at = 0; at < filled;) at += writeSync(fd, buffer, at, filled - at);
    filled = 0;
  };
  const finish = () => {
    if (fd < 0) return;
    flush();
    closeSync(fd);
    fd = -1;
  };
  const begin = (frame: Frame) => {
    finish();
    number += 1;
    beganSeconds = frame.seconds;
    const time = isoTime(frame.seconds * 1000).replace(/[-:]|\.\d+/g, '');
    const name = join(folder, `${prefix}-${time}-${String(number).padStart(5, '0')}.pcap`);
    // Never over a file that somebody else has made.
    fd = openSync(name, 'wx', 0o600);
    names.push(name);
    const header = captureHeader(linkType, snapLength);
    header.copy(buffer);
    filled = header.length;
    size = header.length;
    written.bytes += header.length;
    while (names.length > Math.max(1, files)) {
      rmSync(names.shift()!, { force: true });
      written.deletedFiles += 1;
    }
  };

  return {
    written,
    flush,
    write: (frame) => {
      const bytes = recordLength(frame);
      const isFull = size + bytes > fileBytes || frame.seconds - beganSeconds >= fileSeconds;
      if (fd < 0 || isFull) begin(frame);
      filled = writeRecord(buffer, filled, frame);
      size += bytes;
      written.frames += 1;
      written.bytes += bytes;
      if (filled >= bufferBytes) flush();
    },
    close: () => {
      finish();
      return names;
    },
  };
}
