import type { EmitOptions } from './emit/rules.ts';
import { type ModelledTarget, modelledTargets } from './modelled-targets.ts';
import type { Addresses, PolicyMeaning } from './policy.ts';
import { policyTargets } from './targets.ts';

export type TargetName = keyof typeof policyTargets | ModelledTarget['name'];

/** A policy as the text of any target. */
export function emitFor(name: TargetName, meaning: PolicyMeaning, options: EmitOptions, self?: Addresses): string {
  const target = modelledTargets.find((one) => one.name === name);
  if (target) return target.emit(meaning, options, self);
  return policyTargets[name as keyof typeof policyTargets](meaning, options, self);
}
