import { type Columns, ProbeState } from '../../wire/batch/columns.ts';

/** How the probes of one target, or of all, ended. */
export interface Tally {
  sent: number;
  answered: number;
  lost: number;
  late: number;
  unreachable: number;
  otherAddress: number;
  failed: number;
  unsure: number;
  interrupted: number;
  duplicates: number;
  reordered: number;
}

export function emptyTally(): Tally {
  return {
    sent: 0,
    answered: 0,
    lost: 0,
    late: 0,
    unreachable: 0,
    otherAddress: 0,
    failed: 0,
    unsure: 0,
    interrupted: 0,
    duplicates: 0,
    reordered: 0,
  };
}

/** Adds what became of the probes to target `index`. */
export function addTarget(tally: Tally, columns: Columns, index: number): void {
  const { state, rounds } = columns;
  for (let cell = index * rounds; cell < (index + 1) * rounds; cell++) addState(tally, state[cell]!);
  tally.duplicates += columns.duplicates[index]!;
  tally.reordered += columns.reordered[index]!;
}

function addState(tally: Tally, state: number): void {
  if (state === ProbeState.notSent) return;
  if (state === ProbeState.failed) tally.failed++;
  else tally.sent++;
  if (state === ProbeState.notTls) tally.failed++;
  if (state === ProbeState.answered || state === ProbeState.refused) tally.answered++;
  else if (state === ProbeState.lost) tally.lost++;
  else if (state === ProbeState.late) tally.late++;
  else if (state === ProbeState.unreachable) tally.unreachable++;
  else if (state === ProbeState.otherAddress) tally.otherAddress++;
  else if (state === ProbeState.unsure) tally.unsure++;
  else if (state === ProbeState.interrupted) tally.interrupted++;
}

/** Losses, and the probes that say something about the path: not those that never left, that we may have dropped, or that are on their way. */
export function lossOf(tally: Tally): { losses: number; of: number } {
  const losses = tally.lost + tally.late + tally.unreachable;
  return { losses, of: losses + tally.answered + tally.otherAddress };
}

/** Whether a probe in this state says something about the path, and that it was lost; null when it says nothing. */
export function isLoss(state: number): boolean | null {
  switch (state) {
    case ProbeState.lost:
    case ProbeState.late:
    case ProbeState.unreachable:
      return true;
    case ProbeState.answered:
    case ProbeState.refused:
    case ProbeState.otherAddress:
      return false;
    default:
      return null;
  }
}
