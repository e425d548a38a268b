import type { LiveRead } from '../../gather/capture/live-read.ts';
import type { CaptureProgress } from '../../gather/capture/open.ts';
import { printable } from '../../model/outcome.ts';
import { clip } from '../../report/ansi.ts';
import type { Io } from '../../wire/io.ts';

export interface CaptureProgressLine {
  file(name: string, progress: CaptureProgress): void;
  live(name: string, progress: Omit<LiveRead, 'ended'>): void;
  end(): void;
}

/** How far a long capture is: of a file megabytes, speed and when it will be done. On a terminal only, from the second second on. */
export function progressLine(io: Io): CaptureProgressLine {
  const beganMs = io.clock.monoMs();
  let drawnMs = beganMs + 900;
  let drawn = false;
  let name = '';
  let nameBeganMs = beganMs;
  const draw = (of: string, textOf: (elapsedS: number) => string) => {
    if (!io.terminal.stderrIsTty) return;
    const nowMs = io.clock.monoMs();
    if (of !== name) [name, nameBeganMs] = [of, nowMs];
    if (nowMs - drawnMs < 100) return;
    [drawnMs, drawn] = [nowMs, true];
    const line = `${printable(of, 60)}: ${textOf(Math.max(0.001, (nowMs - nameBeganMs) / 1000))}`;
    io.terminal.err(`\r\u001b[2K${clip(line, Math.max(20, io.terminal.columns - 3))}`);
  };
  return {
    file: (of, { doneBytes, totalBytes, frames }) =>
      draw(of, (elapsedS) => {
        const perSecond = doneBytes / elapsedS;
        const left =
          totalBytes === null
            ? ''
            : ` of ${mega(totalBytes)}, ${Math.max(0, Math.ceil((totalBytes - doneBytes) / perSecond))} s left`;
        return `${mega(doneBytes)} MB${left}, ${mega(perSecond)} MB/s, ${frames} packets`;
      }),
    live: (of, { frames, octets, statistics }) =>
      draw(of, (elapsedS) => {
        const drops = statistics.drops === null ? '' : `, ${statistics.drops} dropped by the kernel`;
        return `${Math.round(elapsedS)} s, ${frames} packets, ${mega(octets)} MB${drops}; Ctrl-C ends it`;
      }),
    end: () => {
      if (drawn) io.terminal.err('\r\u001b[2K');
    },
  };
}

function mega(octets: number): string {
  return (octets / 1e6).toFixed(octets < 1e7 ? 1 : 0);
}
