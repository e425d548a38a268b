import { isLoopback } from '../../stats/address.ts';
import { type Draft, perEndpoint } from '../per-endpoint.ts';
import { requestsOf } from '../samples.ts';
import { count } from '../say.ts';

export const transportSecurity = perEndpoint(
  { id: 'transport-security', about: 'Are prompts and answers encrypted on the network?', pillar: 'security' },
  ({ view, name, url, endpoint }): Draft => {
    const requests = requestsOf(view, name);
    if (url.protocol === 'https:') {
      const encrypted =
        requests.filter((r) => r.tls !== null).length + view.of('tls', name).filter((o) => o.tls !== null).length;
      if (encrypted === 0)
        return {
          verdict: 'unknown',
          claim: 'the URL asks for TLS, but 0 encrypted connections were seen',
          coverage: 0.5,
        };
      return {
        verdict: 'pass',
        claim: `prompts and answers are encrypted (${count(encrypted, 'TLS connection')} seen)`,
      };
    }
    if (isLoopback(url.hostname))
      return {
        verdict: 'unknown',
        claim: 'plain HTTP inside one machine crosses 0 networks: how the service is protected elsewhere is unknown',
        coverage: 0.5,
      };
    const key = endpoint.auth !== undefined;
    return {
      verdict: 'fail',
      severity: 'critical',
      claim: `prompts${key ? ', answers and the API key' : ' and answers'} cross the network readable by anyone on the way: plain HTTP to port ${url.port || '80'}`,
      confidence: 'high',
      remedy: {
        text: `serve HTTPS (a terminating proxy in front is enough when it stands on the same host)${key ? ', and replace the key: it has been sent in the clear' : ''}`,
      },
    };
  },
);
