import type { AgentStatus } from '../../model/agent-health.ts';
import { type AgentParts, runAgent } from './agent.ts';
import { targetPolicy } from './target-policy.ts';

/**
 * The agent of `inferpath up`, in the process of the server or a child of it, until the signal aborts. The network file is the user's own, so
 * loopback is measured, too; link-local and metadata addresses are not even here.
 * @param parts.keyFor the API key of an endpoint by its name; undefined where it needs one and there is none
 */
export function runLocalAgent(
  parts: Pick<AgentParts, 'name' | 'version' | 'io' | 'files' | 'directory' | 'cpuMs' | 'link' | 'target'> & {
    keyFor: (endpoint: string) => string | undefined;
  },
  signal: AbortSignal,
): Promise<AgentStatus> {
  const { keyFor, ...rest } = parts;
  return runAgent(
    {
      ...rest,
      rules: {
        policy: targetPolicy(['0.0.0.0/0', '::/0']),
        keyFor: (_url, _auth, endpoint) => {
          const key = keyFor(endpoint);
          return key === undefined ? { why: `there is no API key for ${endpoint}` } : { key };
        },
      },
      // The first screen is to show something within seconds, and nothing of this crosses a network.
      pace: { batchEveryMs: 250, pollEveryMs: 2000, lingerMs: 1000, firstRoundMs: 1000 },
    },
    signal,
  );
}
