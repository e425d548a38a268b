import { wiresharkFlagNames } from '../../gather/capture/compat/flags.ts';
import { WiresharkCompat } from '../../gather/capture/compat/wireshark.ts';
import { captureSource, describeEnd, readCapture } from '../../gather/capture/open.ts';
import { decodePacket } from '../../wire/packet/decode.ts';
import { newPacket } from '../../wire/packet/packet.ts';
import type { Io } from '../../wire/io.ts';
import { bufferedOutput } from '../buffered-output.ts';
import { type ExitCode, exitCode, UsageError } from '../command.ts';
import { progressLine } from './progress.ts';

/** `--compat wireshark`: a line for each TCP segment that Wireshark 4.0 has something to say of, by its own names. */
export async function compatLines(path: string, io: Io): Promise<ExitCode> {
  const compat = new WiresharkCompat();
  const packet = newPacket();
  let number = 0;
  const output = bufferedOutput(io);
  const live = progressLine(io);
  const source = await captureSource(io, path);
  const read = await readCapture(
    source,
    (frame) => {
      number += 1;
      decodePacket(frame, packet);
      const said = compat.analyse(frame, packet, number);
      if (!said || said.flags === 0) return;
      const { stream, flags, duplicateAckNumber, duplicateAckFrame, rtoFrame, rtoNs } = said;
      output.write(
        `${JSON.stringify({
          frame: number,
          stream,
          flags: wiresharkFlagNames(flags),
          ...(duplicateAckNumber > 0 ? { duplicateAckNumber, duplicateAckFrame } : {}),
          ...(rtoFrame > 0 ? { rtoFrame, rtoMs: rtoNs / 1e6 } : {}),
        })}\n`,
      );
    },
    { signal: io.signals.interrupted, onProgress: (progress) => live.file(source.name, progress) },
  );
  live.end();
  output.flush();
  if (io.signals.interrupted.aborted) return exitCode.interrupted;
  const problem = describeEnd(source.name, read);
  if (problem && read.frames === 0) throw new UsageError(problem);
  if (problem) io.terminal.err(`${problem}\n`);
  return read.frames === 0 ? exitCode.couldNotMeasure : exitCode.ready;
}
