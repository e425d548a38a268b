import { formatAddress, type Family } from '../../model/cidr.ts';
import type {
  PolicyHookProof,
  PolicyProofRule,
  PolicyQuestion,
  PolicyWitness,
} from '../../model/secure/policy-proof.ts';
import { printable } from '../../model/outcome.ts';
import { type Packet, serviceText } from './box.ts';
import type { HookProof } from './judge.ts';
import type { RuleRef } from './program.ts';
import type { OpenQuestion, Witness } from './prove.ts';
import type { Range } from './ranges.ts';

/** A proof as the report has it: addresses as text, everything from a rule safe to print. */
export function reported({ proof, answers }: HookProof, of: string[]): PolicyHookProof {
  const { hook, family, verdict, cells } = proof;
  const refuted = proof.verdict === 'refuted' ? proof : undefined;
  const open = proof.verdict === 'not-proved' ? proof : undefined;
  const blocked = answers.verdict === 'refuted' ? answers.missing : undefined;
  return {
    of,
    hook,
    family,
    verdict,
    why: open?.why ?? null,
    extra: refuted?.extra ? witness(refuted.extra) : null,
    missing: refuted?.missing ? witness(refuted.missing) : null,
    maybeExtra: open?.extra ? question(open.extra, family) : null,
    maybeMissing: open?.missing ? question(open.missing, family) : null,
    answers: answers.verdict,
    answersBlocked: blocked ? witness({ ...blocked, lines: [] }) : null,
    cells,
  };
}

function witness({ packet, by, lines }: Witness): PolicyWitness {
  return { packet: packetOf(packet), by: ruleOf(by), lines };
}

function question({ packet, because, where }: OpenQuestion, family: Family): PolicyQuestion {
  return {
    packet: packetOf(packet),
    because: because.slice(0, 50).map(({ what, rule }) => ({ what: printable(what, 300), rule: ruleOf(rule) })),
    where: where.map(([src, dst, service]) => ({
      src: rangeText(src, (value) => formatAddress(family, value)),
      dst: rangeText(dst, (value) => formatAddress(family, value)),
      service: rangeText(service, serviceText),
    })),
  };
}

const rangeText = ([first, last]: Range, text: (value: bigint) => string): string =>
  first === last ? text(first) : `${text(first)} to ${text(last)}`;

function packetOf({ family, src, dst, service }: Packet): PolicyWitness['packet'] {
  return { src: formatAddress(family, src), dst: formatAddress(family, dst), service: serviceText(service) };
}

function ruleOf({ chain, line, text, comment }: RuleRef): PolicyProofRule {
  return {
    chain: printable(chain, 200),
    line: line ?? null,
    text: printable(text, 500),
    comment: comment === undefined ? null : printable(comment, 200),
  };
}
