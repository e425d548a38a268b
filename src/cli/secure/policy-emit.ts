import * as z from 'zod';
import { emitFor } from '../../secure/policy/emit-for.ts';
import { defineAction, exitCode, UsageError } from '../command.ts';
import { writeReport } from '../write-report.ts';
import { loadPolicy, policyFlags, targetNames } from './policy-flags.ts';

/** `inferpath secure policy emit`: a policy as the rules of a firewall. */
export const policyEmit = defineAction({
  about:
    'Makes firewall rules of the policy in the network file and prints them; applies nothing. Rules are of both families, touch nothing ' +
    'but a table or chains of their own, can be loaded again and again, and name the line that each comes from.',
  positionals: { name: 'network.yaml', about: 'the network file with its policy', min: 1, max: 1 },
  flags: {
    ...policyFlags,
    output: {
      schema: z.string().min(1).optional(),
      about: 'File to write the rules to; default: stdout.',
      value: 'FILE',
    },
  },
  examples: [
    {
      line: 'inferpath secure policy emit network.yaml --target nftables > inferpath.nft',
      about: 'for `nft -f inferpath.nft`; `nft -c -f` only checks',
    },
    {
      line: 'inferpath secure policy emit network.yaml --target nftables --host inference --deny reject',
      about: 'what concerns the servers of one group, and errors in place of silence',
    },
    {
      line: 'inferpath secure policy emit network.yaml --target windows --host workstation > inferpath.ps1',
      about: 'a PowerShell script; kubernetes, aws-sg and terraform likewise: modelled, not executed',
    },
    {
      line: 'inferpath secure policy emit network.yaml --target iptables --output inferpath.sh',
      about: 'a script around iptables-restore and ip6tables-restore',
    },
  ],
  async run({ flags, positionals: [file = ''], io }) {
    const { target, host, deny, output } = flags;
    if (target === undefined) throw new UsageError(`--target: is required; allowed: ${targetNames.join(', ')}`);
    const { meaning, self } = await loadPolicy(file, host, io);
    const text = emitFor(target, meaning, { deny, source: file, ...(host === undefined ? {} : { host }) }, self);
    if (output === undefined) io.terminal.out(text);
    else await writeReport(output, text, io);
    return exitCode.ready;
  },
});
