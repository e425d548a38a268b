import type { Family } from '../../model/cidr.ts';
import { everything } from './box.ts';
import { type Addresses, families, permitsAt, type PolicyHook, type PolicyMeaning } from './policy.ts';
import type { Firewall } from './program.ts';
import { type Proof, prove } from './prove.ts';

/** What a text comes to at one hook for one family. */
export interface HookProof {
  proof: Proof;
  /** Whether answers and errors of connections that were let through pass as well: `proved`, or what stands in their way. */
  answers: Proof;
}

export type PolicyVerdict = Proof['verdict'];

/** Holds a text against all that a policy enforces. */
export function judgePolicy(meaning: PolicyMeaning, firewall: Firewall, self?: Addresses): HookProof[] {
  return meaning.enforce.flatMap((hook) =>
    families.map((family) => ({
      proof: prove({
        hook,
        family,
        path: firewall.pathAt(hook, family, 'new'),
        permits: permitsAt(meaning, hook, family, self),
      }),
      answers: answersAt(firewall, hook, family),
    })),
  );
}

/** Answers belong to what was let through, and so all of them have to pass; proofs are of what begins. */
export function answersAt(firewall: Firewall, hook: PolicyHook, family: Family): Proof {
  const permits = [{ line: 'answers', box: everything(family) }];
  const proofs = (['established', 'related'] as const).map((state) =>
    prove({ hook, family, path: firewall.pathAt(hook, family, state), permits }),
  );
  return proofs.find(({ verdict }) => verdict !== 'proved') ?? proofs[0]!;
}

/** The worst of them: refuted before not proved before proved. */
export function verdictOf(proofs: readonly HookProof[]): PolicyVerdict {
  const verdicts = proofs.flatMap(({ proof, answers }) => [proof.verdict, answers.verdict]);
  if (verdicts.includes('refuted')) return 'refuted';
  return verdicts.includes('not-proved') || verdicts.length === 0 ? 'not-proved' : 'proved';
}
