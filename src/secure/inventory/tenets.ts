import type { SecureEvidence } from '../../model/secure/evidence.ts';
import type { InventoriedHop, Tenet } from '../../model/secure/inventory.ts';

type Of<S extends SecureEvidence['schema']> = Extract<SecureEvidence, { schema: S }>;
const of = <S extends SecureEvidence['schema']>(all: readonly SecureEvidence[], schema: S): Of<S>[] =>
  all.filter((one): one is Of<S> => one.schema === schema);

/**
 * The seven tenets of NIST SP 800-207 §2.1, each with what can be counted of it here. What cannot is called that, and never passes:
 * a share without its denominator would be invented.
 */
export function tenetsOf(hops: readonly InventoriedHop[], evidence: readonly SecureEvidence[]): Tenet[] {
  const exposures = of(evidence, 'inferpath/secure-exposure@1');
  const proofs = of(evidence, 'inferpath/policy-proof@1');
  const drifts = of(evidence, 'inferpath/policy-drift@1');
  const listeners = drifts.flatMap((one) => one.listeners);
  const services = exposures.flatMap((one) => one.services).filter(({ engine }) => engine !== null);
  const gates = hops.flatMap((hop) => hop.gates.filter(({ id }) => id === 'encrypted'));
  const proved = proofs.filter(({ verdict }) => verdict === 'proved').length;
  const denials = drifts.reduce((sum, { denials }) => sum + denials.length, 0);
  return [
    counted(1, 'All data sources and services are resources', {
      formula: 'listening sockets that a line of the policy knows ÷ listening sockets found',
      met: listeners.filter(({ permittedBy }) => permittedBy.length > 0).length,
      of: listeners.length,
      missing: 'no report of secure policy drift was given',
      seen: drifts.length > 0,
    }),
    counted(2, 'All communication is secured, wherever it runs', {
      formula: 'hops that are encrypted ÷ hops',
      met: gates.filter(({ verdict }) => verdict === 'pass').length,
      of: gates.length,
      unknown: gates.filter(({ verdict }) => verdict === 'unknown').length,
      missing: 'the network file names no hop',
      seen: gates.length > 0,
    }),
    counted(3, 'Access is granted per session', {
      formula: 'inference servers that want a key on every path ÷ inference servers found',
      met: services.filter(({ auth }) => auth === 'enforced').length,
      of: services.length,
      unknown: services.filter(({ auth }) => auth === 'unknown').length,
      missing: 'no report of secure exposure was given',
      seen: exposures.length > 0,
    }),
    counted(4, 'Access follows a policy', {
      formula: 'rulesets that are proved to mean the policy ÷ rulesets asked',
      met: proved,
      of: proofs.length,
      unknown: proofs.filter(({ verdict }) => verdict === 'not-proved' || verdict === 'proved-in-part').length,
      missing: 'no report of secure policy prove was given',
      seen: proofs.length > 0,
    }),
    notObservable(
      5,
      'The posture of all assets is watched',
      'versions with known vulnerabilities: no list of those is shipped',
    ),
    counted(6, 'Authentication and authorisation are strictly enforced', {
      formula:
        'flows that no line permits and nothing keeps out, seen by secure policy drift: 0 passes, with all rulesets proved',
      met: denials === 0 && proofs.length > 0 && proved === proofs.length ? 1 : 0,
      of: 1,
      unknown: drifts.length === 0 || proofs.length === 0 ? 1 : 0,
      missing: 'reports of secure policy prove and secure policy drift are both needed',
      seen: proofs.length > 0 && drifts.length > 0,
    }),
    notObservable(
      7,
      'As much as possible is collected about the state of assets',
      'which hosts there are that report nothing',
    ),
  ];
}

interface Count {
  formula: string;
  met: number;
  of: number;
  unknown?: number;
  missing: string;
  seen: boolean;
}

function counted(number: number, title: string, { formula, met, of: all, unknown = 0, missing, seen }: Count): Tenet {
  const base = { number, title, formula };
  if (!seen) return { ...base, state: 'unknown', met: null, of: null, evidence: missing };
  const failed = all - met - unknown;
  const state = failed > 0 ? 'fail' : unknown > 0 || all === 0 ? 'unknown' : 'pass';
  const evidence =
    all === 0
      ? 'nothing was found that could be counted'
      : `${met} of ${all}${unknown > 0 ? `, ${unknown} not known` : ''}`;
  return { ...base, state, met, of: all, evidence };
}

function notObservable(number: number, title: string, what: string): Tenet {
  return {
    number,
    title,
    state: 'notObservable',
    met: null,
    of: null,
    formula: 'none',
    evidence: `not observable by us: ${what}`,
  };
}
