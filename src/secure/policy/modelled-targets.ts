import { answersAt, type HookProof } from './judge.ts';
import { modelled } from './emit/modelled.ts';
import { dnsPermits, emitKubernetes } from './emit/kubernetes.ts';
import type { EmitOptions } from './emit/rules.ts';
import { emitAwsSecurityGroups, emitTerraform } from './emit/security-groups.ts';
import { emitWindows } from './emit/windows.ts';
import type { Family } from '../../model/cidr.ts';
import { everyService, services } from './box.ts';
import {
  type Addresses,
  families,
  neededLineName,
  type Permit,
  permitsAt,
  type PolicyHook,
  type PolicyMeaning,
} from './policy.ts';
import type { Firewall, Path } from './program.ts';
import { type Proof, prove } from './prove.ts';
import { everyAddress, intersect, type Ranges, rangesOf, subtract } from './ranges.ts';
import { readKubernetes } from './read/kubernetes.ts';
import { readAwsSecurityGroups, readTerraform } from './read/security-groups.ts';
import { readWindows } from './read/windows.ts';

/** A system that rules are made for and that was never at hand: what they mean was taken from its documentation. */
export interface ModelledTarget {
  name: 'windows' | 'kubernetes' | 'aws-sg' | 'terraform';
  about: string;
  /** Hooks that it can speak of. */
  hooks: readonly PolicyHook[];
  /** Services that it can speak of; what becomes of others is not judged. */
  services: Ranges;
  /** What its rules permit beyond the policy, and say so. */
  beyond?(hook: PolicyHook, family: Family, self: Addresses): Permit[];
  emit(meaning: PolicyMeaning, options: Omit<EmitOptions, 'deny'>, self?: Addresses): string;
  /** @throws RulesetError */
  read(text: string): Firewall;
}

const both = ['inbound', 'outbound'] as const;

export const modelledTargets: readonly ModelledTarget[] = [
  {
    name: 'windows',
    about: 'PowerShell for Windows Defender Firewall',
    hooks: both,
    services: everyService,
    emit: emitWindows,
    read: readWindows,
  },
  {
    name: 'kubernetes',
    about: 'NetworkPolicies',
    hooks: both,
    services: rangesOf([...services(6), ...services(17)]),
    beyond: (hook, family, self) => (hook === 'outbound' ? dnsPermits(family, self) : []),
    emit: emitKubernetes,
    read: readKubernetes,
  },
  {
    name: 'aws-sg',
    about: 'security groups of AWS as JSON',
    hooks: both,
    services: everyService,
    emit: emitAwsSecurityGroups,
    read: readAwsSecurityGroups,
  },
  {
    name: 'terraform',
    about: 'security groups of AWS for Terraform',
    hooks: both,
    services: everyService,
    emit: emitTerraform,
    read: readTerraform,
  },
];

/** The target that a text was made for; null: none of these. */
export function modelledFormOf(text: string): ModelledTarget | null {
  const marks: Record<ModelledTarget['name'], RegExp> = {
    windows:
      /^\s*(?:New-NetFirewallRule|Set-NetFirewallProfile)\s|"Default(?:In|Out)boundAction"|"(?:InstanceID|DisplayName)"\s*:.*"Direction"\s*:/ims,
    kubernetes: /^\s*"?kind"?:\s*"?(?:NetworkPolicy|NetworkPolicyList)\b|"kind"\s*:\s*"NetworkPolicy/m,
    'aws-sg': /"SecurityGroups"\s*:/,
    terraform: /^\s*resource\s+"aws_security_group"/m,
  };
  return modelledTargets.find(({ name }) => marks[name].test(text.slice(0, 1_000_000))) ?? null;
}

/** The same with answers, which all of them let pass by remembering connections. */
export function judgeModelled(
  target: ModelledTarget,
  meaning: PolicyMeaning,
  firewall: Firewall,
  self?: Addresses,
): HookProof[] {
  return proveModelled(target, meaning, firewall, self).map((proof) => ({
    proof,
    answers: answersAt(firewall, proof.hook, proof.family),
  }));
}

/** Something of a policy that rules for a target cannot say, and the lines that say it. */
export interface Unsaid {
  what: string;
  lines: string[];
}

/** What a policy says and rules for such a target cannot: whole hooks, which deny too, and at the others services beyond those it knows. */
export function unsaidBy(
  { hooks, services: scope }: ModelledTarget,
  meaning: PolicyMeaning,
  self: Addresses = everyAddress,
): Unsaid[] {
  const linesAt = (hook: PolicyHook, isBeyond: (service: Ranges) => boolean): string[] => {
    const permits = families.flatMap((family) => permitsAt(meaning, hook, family, self));
    const of = permits.filter(({ line, box }) => line !== neededLineName && isBeyond(box.service));
    return [...new Set(of.map(({ line }) => line))];
  };
  const outside = subtract(everyService, scope);
  const services = meaning.enforce
    .filter((hook) => hooks.includes(hook) && outside.length > 0)
    .flatMap((hook) => linesAt(hook, (service) => intersect(service, outside).length > 0));
  return [
    ...meaning.enforce
      .filter((hook) => !hooks.includes(hook))
      .map((hook): Unsaid => ({ what: hook, lines: linesAt(hook, () => true) })),
    ...(services.length > 0 ? [{ what: 'other protocols than TCP and UDP', lines: [...new Set(services)] }] : []),
  ];
}

/** What to say beside every proof for such a target. */
export function modelledNotes({ name, services: scope, beyond }: ModelledTarget, { enforce }: PolicyMeaning): string[] {
  return [
    `${name}: ${modelled}`,
    ...(scope === everyService
      ? []
      : [`${name} speaks of TCP and UDP alone: what becomes of ICMP and others was not judged.`]),
    ...(beyond && enforce.includes('outbound')
      ? [`${name}: TCP and UDP to port 53 are open to any address at most, for names.`]
      : []),
  ];
}

/** Holds a text for such a target against the policy, at the hooks and for the services that the target can speak of. */
export function proveModelled(
  { hooks, services: scope, beyond }: ModelledTarget,
  meaning: PolicyMeaning,
  firewall: Firewall,
  self: Addresses = everyAddress,
): Proof[] {
  return hooks
    .filter((hook) => meaning.enforce.includes(hook))
    .flatMap((hook) =>
      families.map((family) =>
        prove({
          hook,
          family,
          path: within(scope, firewall.pathAt(hook, family, 'new'), family),
          permits: [...permitsAt(meaning, hook, family, self), ...(beyond?.(hook, family, self) ?? [])].flatMap(
            ({ line, box }) => {
              const service = intersect(box.service, scope);
              return service.length === 0 ? [] : [{ line, box: { ...box, service } }];
            },
          ),
        }),
      ),
    );
}

/** What is outside the scope is denied on both sides, and so no difference. */
function within(scope: Ranges, path: Path, family: Family): Path {
  const service = subtract(everyService, scope);
  if (service.length === 0) return path;
  const box = { src: everyAddress[family], dst: everyAddress[family], service };
  const ref = { chain: 'scope', text: 'services that the target cannot speak of' };
  return [{ name: 'scope', rules: [{ box, action: 'drop', ref }], policy: 'accept' }, ...path];
}
