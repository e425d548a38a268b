import { basename, dirname, resolve } from 'node:path';
import { rotatingCapture, type Rotation } from '../../gather/capture/rotate.ts';
import { printable } from '../../model/outcome.ts';
import { plural } from '../../report/format.ts';
import type { Frame } from '../../wire/pcap/frame.ts';
import type { Io } from '../../wire/io.ts';

/** Files of --write: where, how large, how many. */
export interface WriteFlags {
  write?: string | undefined;
  fileSize: number;
  fileSeconds?: number | undefined;
  files: number;
  snaplen: number;
}

/** Keeps what an interface shows in files beside looking at it. */
export interface PacketFiles {
  frame(frame: Frame): void;
  /** What came so far is in the file. */
  flush(): void;
  /** Closes the last one and says what there is. */
  end(): string;
}

/** Null where nobody asked for files. What cannot be written, as on a full disk, ends the writing and not the looking. */
export function packetFiles(flags: WriteFlags, io: Pick<Io, 'cwd'>): PacketFiles | null {
  if (flags.write === undefined) return null;
  const path = resolve(io.cwd, flags.write);
  let rotation: Rotation | null = null;
  let fault: string | null = null;
  const guarded = (work: () => void) => {
    if (fault !== null) return;
    try {
      work();
    } catch (error) {
      fault = error instanceof Error ? error.message : String(error);
    }
  };
  return {
    frame: (frame) =>
      guarded(() => {
        rotation ??= rotatingCapture({
          folder: dirname(path),
          prefix: basename(path).replace(/\.pcap$/, ''),
          linkType: frame.linkType,
          snapLength: flags.snaplen,
          fileBytes: flags.fileSize * 1_000_000,
          ...(flags.fileSeconds === undefined ? {} : { fileSeconds: flags.fileSeconds }),
          files: flags.files,
        });
        rotation.write(frame);
      }),
    flush: () => guarded(() => rotation?.flush()),
    end: () => {
      let names: readonly string[] = [];
      guarded(() => {
        names = rotation?.close() ?? [];
      });
      const { frames = 0, deletedFiles = 0 } = rotation?.written ?? {};
      const kept = names.map((name) => printable(basename(name), 100));
      const shown = kept.length > 2 ? [kept[0], '…', kept.at(-1)] : kept;
      const told = `${plural(frames, 'packet')} written to ${plural(kept.length, 'file')}${kept.length > 0 ? ` (${shown.join(' ')})` : ''}`;
      const gone = deletedFiles > 0 ? `, ${plural(deletedFiles, 'older file')} deleted` : '';
      return fault === null
        ? `${told}${gone}\n`
        : `--write: stopped after ${plural(frames, 'packet')}: ${printable(fault)}\n`;
    },
  };
}
