import { actionGroup, defineCommand } from '../command.ts';
import { secureAnomalies } from '../secure/anomalies.ts';
import { secureExposure } from '../secure/exposure.ts';
import { secureInventory } from '../secure/inventory.ts';
import { policyApply } from '../secure/policy-apply.ts';
import { policyDrift } from '../secure/policy-drift.ts';
import { policyEmit } from '../secure/policy-emit.ts';
import { policyProve } from '../secure/policy-prove.ts';
import { policySuggest } from '../secure/policy-suggest.ts';
import { secureTls } from '../secure/tls.ts';

/** `inferpath secure`: what is open, what is encrypted, and who may talk to whom. Each action is one file in ../secure. */
export const secure = defineCommand({
  name: 'secure',
  summary: 'Post-quantum readiness, exposed inference servers, and a policy that is proved',
  about:
    'Looks at the security of the inference network: encryption that lasts, servers that are open, policies that hold.',
  actions: {
    tls: secureTls,
    exposure: secureExposure,
    inventory: secureInventory,
    anomalies: secureAnomalies,
    policy: actionGroup({
      about:
        'Who may reach what, said once: made into rules, proved of rules, held against what is seen, made of what is seen, put into force.',
      actions: { emit: policyEmit, prove: policyProve, drift: policyDrift, suggest: policySuggest, apply: policyApply },
    }),
  },
});
