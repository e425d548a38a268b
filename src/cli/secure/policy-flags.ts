import * as z from 'zod';
import type { Network } from '../../model/network.ts';
import { addressesOf, meaningOf, type Addresses, type PolicyMeaning } from '../../secure/policy/policy.ts';
import type { Io } from '../../wire/io.ts';
import { UsageError } from '../command.ts';
import { loadPlannedNetwork } from '../network-file.ts';
import { nearest } from '../suggest.ts';

/** Everything that a policy can be made into; the later ones were never at hand and are modelled. */
export const targetNames = ['nftables', 'iptables', 'windows', 'kubernetes', 'aws-sg', 'terraform'] as const;

/** Flags that `policy emit` and `policy prove` share. */
export const policyFlags = {
  host: {
    schema: z.string().min(1).optional(),
    about: 'Group, site or endpoint whose part of the policy is meant; default: all of it, good for any host.',
    value: 'NAME',
  },
  target: {
    schema: z.enum(targetNames).optional(),
    about: `What rules are made for: ${targetNames.join(', ')}.`,
    value: 'TARGET',
  },
  deny: {
    schema: z.enum(['drop', 'reject']).default('drop'),
    about: 'What happens to what no line permits: drop (silence) or reject (an error at once); default drop.',
    value: 'HOW',
  },
} as const;

export interface ChosenPolicy {
  meaning: PolicyMeaning;
  /** Addresses of the host that is meant; absent: any. */
  self: Addresses | undefined;
}

/**
 * The policy of a network file, and whose part of it is meant.
 * @throws UsageError where there is no policy, or the host is none of it
 */
export async function loadPolicy(file: string, host: string | undefined, io: Io): Promise<ChosenPolicy> {
  const network = await loadPlannedNetwork(file, io);
  const meaning = meaningOf(network);
  if (!meaning)
    throw new UsageError(
      `${file}: policy: is required; it says who may reach what`,
      'docs/secure/policy.md tells how a policy is written, examples/policy.yaml is one',
    );
  return { meaning, self: host === undefined ? undefined : selfOf(host, network) };
}

function selfOf(host: string, network: Network): Addresses {
  const { policy } = network;
  const known = [...(policy?.groups ?? []), ...network.sites, ...network.endpoints].map(({ name }) => name);
  if (!policy || !known.includes(host)) {
    const meant = nearest(host, known);
    throw new UsageError(
      `--host: found ${JSON.stringify(host)}; allowed: ${known.join(', ')}${meant ? `; did you mean ${meant}?` : ''}`,
    );
  }
  const self = addressesOf(host, network, policy);
  if (self[4].length + self[6].length === 0) throw new UsageError(`--host: "${host}" has no addresses in the file`);
  return self;
}
