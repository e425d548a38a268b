import type { CaptureProgress } from '../gather/capture/open.ts';
import { printable } from '../model/outcome.ts';
import { clip } from '../report/ansi.ts';
import type { Io } from '../wire/io.ts';

/** How far a long capture is read: megabytes, speed, and when it will be done. On a terminal only, from the second second on. */
export function liveCapture(io: Io): { show(name: string, progress: CaptureProgress): void; end(): void } {
  const beganMs = io.clock.monoMs();
  let drawnMs = beganMs + 900;
  let drawn = false;
  let name = '';
  let nameBeganMs = beganMs;
  return {
    show: (of, { doneBytes, totalBytes, frames }) => {
      if (!io.terminal.stderrIsTty) return;
      const nowMs = io.clock.monoMs();
      if (of !== name) [name, nameBeganMs] = [of, nowMs];
      if (nowMs - drawnMs < 100) return;
      [drawnMs, drawn] = [nowMs, true];
      const perSecond = doneBytes / Math.max(0.001, (nowMs - nameBeganMs) / 1000);
      const left =
        totalBytes === null ? '' : ` of ${mega(totalBytes)}, ${Math.ceil((totalBytes - doneBytes) / perSecond)} s left`;
      const line = `${printable(of, 60)}: ${mega(doneBytes)} MB${left}, ${mega(perSecond)} MB/s, ${frames} packets`;
      io.terminal.err(`\r\u001b[2K${clip(line, Math.max(20, io.terminal.columns - 3))}`);
    },
    end: () => {
      if (drawn) io.terminal.err('\r\u001b[2K');
    },
  };
}

function mega(octets: number): string {
  return (octets / 1e6).toFixed(octets < 1e7 ? 1 : 0);
}
