import { execFile } from 'node:child_process';
import type { BpfInstruction } from '../../wire/bpf.ts';

/** The kernel takes no longer ones (BPF_MAXINSNS). */
const maxInstructions = 4096;

/** What tcpdump said against a filter, in its own words. */
export class FilterError extends Error {
  override readonly name = 'FilterError';
}

/**
 * Compiles the text of a filter (pcap-filter(7)) for an interface by `tcpdump -ddd`: with the interface, since the link type decides where
 * fields are, and the kernel keeps VLAN tags apart. Returned lengths are `snapLength`.
 * @throws FilterError
 */
export async function compileFilter(name: string, filter: string, snapLength: number): Promise<BpfInstruction[]> {
  const args = ['-i', name, '-s', String(snapLength), '-ddd', '--', filter];
  const { failed, stdout, stderr } = await new Promise<{ failed: boolean; stdout: string; stderr: string }>((done) =>
    execFile('tcpdump', args, { timeout: 10_000, maxBuffer: 1 << 20 }, (error, stdout, stderr) =>
      done({ failed: error !== null, stdout, stderr: stderr || (error?.message ?? '') }),
    ),
  );
  const program = failed ? null : readProgram(stdout);
  if (program) return program;
  const said = stderr.trim().split('\n').at(-1) ?? '';
  throw new FilterError(said.replace(/^tcpdump: /, '') || 'tcpdump gave no program for it');
}

/** What `tcpdump -ddd` prints: the number of instructions, then code, both jumps and k of each, in decimals. */
export function readProgram(text: string): BpfInstruction[] | null {
  const [count, ...lines] = text.trim().split('\n');
  const program = lines.map((line) => line.trim().split(/\s+/).map(Number));
  const isWhole = program.length === Number(count) && program.length > 0 && program.length <= maxInstructions;
  if (
    !isWhole ||
    !program.every((one) => one.length === 4 && one.every((value) => Number.isInteger(value) && value >= 0))
  )
    return null;
  return program as [number, number, number, number][];
}
