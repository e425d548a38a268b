import * as z from 'zod';
import { policyHook } from '../network-policy.ts';

const rule = z.strictObject({
  chain: z.string(),
  line: z.int().nullable().meta({ description: 'Line of the text; null where it has none.' }),
  text: z.string().meta({ description: 'The rule as it stands there.' }),
  comment: z.string().nullable(),
});
export type PolicyProofRule = z.infer<typeof rule>;

const packet = z.strictObject({
  src: z.string(),
  dst: z.string(),
  service: z.string().meta({ description: 'tcp/443, icmp type 8 code 0, protocol 47.' }),
});

const witness = z
  .strictObject({
    packet,
    by: rule.meta({ description: 'The rule that decided it.' }),
    lines: z.array(z.string()).meta({ description: 'Lines of the policy that permit it.' }),
  })
  .meta({ description: 'The smallest packet that is treated otherwise than the policy says.' });
export type PolicyWitness = z.infer<typeof witness>;

const question = z
  .strictObject({
    packet,
    because: z.array(z.strictObject({ what: z.string(), rule })).meta({ description: 'What was not understood.' }),
    where: z
      .array(z.strictObject({ src: z.string(), dst: z.string(), service: z.string() }))
      .meta({ description: 'Some of the places, as ranges.' }),
  })
  .meta({ description: 'Packets whose fate hangs on what was not understood, the smallest first.' });
export type PolicyQuestion = z.infer<typeof question>;

export const policyVerdict = z.enum(['proved', 'refuted', 'not-proved']);

/** Of a whole proof: in part, where the rules are right and the policy says things that no rule of their kind can say. */
const wholeVerdict = z.enum([...policyVerdict.options, 'proved-in-part']);

const hookProof = z.strictObject({
  of: z.array(z.string()).meta({ description: 'Whose rules: `from` of the texts that judge together.' }),
  hook: policyHook,
  family: z.union([z.literal(4), z.literal(6)]),
  verdict: policyVerdict,
  why: z.string().nullable(),
  extra: witness.nullable().meta({ description: 'Accepted and not permitted.' }),
  missing: witness.nullable().meta({ description: 'Permitted and not accepted.' }),
  maybeExtra: question.nullable().meta({ description: 'In the upper closure, and not permitted.' }),
  maybeMissing: question.nullable().meta({ description: 'Permitted, and not in the lower closure.' }),
  answers: policyVerdict.meta({ description: 'Whether answers of what was let through pass.' }),
  answersBlocked: witness.nullable(),
  cells: z
    .int()
    .meta({ description: 'Cells of packets that had to be looked at one by one; 0: both sides are the same boxes.' }),
});
export type PolicyHookProof = z.infer<typeof hookProof>;

/** What `inferpath secure policy prove --json` prints. */
export const policyProof = z
  .strictObject({
    schema: z.literal('inferpath/policy-proof@1'),
    policy: z.string().meta({ description: 'The network file.' }),
    host: z.string().nullable().meta({ description: 'Whose part of the policy; null: all of it.' }),
    lines: z.int().meta({ description: 'Lines of the policy.' }),
    texts: z.array(
      z.strictObject({
        from: z.string().meta({ description: 'A file, - for stdin, or which target was emitted.' }),
        form: z.enum(['nftables', 'nftables-json', 'iptables', 'windows', 'kubernetes', 'aws-sg', 'terraform']),
        rules: z.int(),
      }),
    ),
    verdict: wholeVerdict.meta({
      description:
        'The worst of the proofs: refuted, not-proved, proved-in-part (proved, and something of the policy is in `unsaid`), proved.',
    }),
    proofs: z.array(hookProof),
    unsaid: z
      .array(
        z.strictObject({
          what: z.string().meta({ description: 'What rules of this kind cannot speak of.' }),
          lines: z.array(z.string()).meta({ description: 'Lines of the policy that say something about it.' }),
        }),
      )
      .meta({
        description: 'What the policy says and these rules cannot: it was not judged, and nothing here enforces it.',
      }),
    notes: z.array(z.string()),
  })
  .meta({
    title: 'inferpath secure policy prove --json',
    description: 'Whether rules mean exactly what the policy says, with the smallest packet that shows otherwise.',
  });
export type PolicyProof = z.infer<typeof policyProof>;
