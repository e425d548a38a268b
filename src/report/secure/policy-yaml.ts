import type { NetworkPolicy } from '../../model/network-policy.ts';
import { printable } from '../../model/outcome.ts';

/** Characters of a line before a list is broken into one item per line. */
const maxWidth = 120;

/** The section `policy` of a network file as text, with a comment before each line of `allow`. */
export function policyYaml(policy: NetworkPolicy, comments: ReadonlyMap<string, readonly string[]>): string {
  const lines = ['policy:', ...item('enforce', policy.enforce, 2)];
  if (policy.groups.length > 0) lines.push('  groups:');
  for (const { name, ...lists } of policy.groups) {
    lines.push(`    - name: ${word(name)}`);
    for (const key of ['cidrs', 'sites', 'endpoints', 'groups', 'except'] as const)
      if (lists[key].length > 0) lines.push(...item(key, lists[key], 6));
  }
  if (policy.services.length > 0) lines.push('  services:');
  for (const { name, protocol, ports, types } of policy.services) {
    lines.push(`    - name: ${word(name)}`, `      protocol: ${protocol}`);
    if (ports) lines.push(...item('ports', ports.map(String), 6));
    if (types) lines.push(...item('types', types, 6));
  }
  lines.push(policy.allow.length > 0 ? '  allow:' : '  allow: []');
  for (const { name, from, to, services, why } of policy.allow) {
    for (const comment of comments.get(name) ?? []) lines.push(`    # ${printable(comment, 400)}`);
    lines.push(`    - name: ${word(name)}`, ...item('from', from, 6), ...item('to', to, 6));
    if (services) lines.push(...item('services', services, 6));
    lines.push(`      why: ${JSON.stringify(why)}`);
  }
  return `${lines.join('\n')}\n`;
}

function item(key: string, values: readonly string[], indent: number): string[] {
  const margin = ' '.repeat(indent);
  const flat = `${margin}${key}: [${values.map(word).join(', ')}]`;
  return flat.length <= maxWidth ? [flat] : [`${margin}${key}:`, ...values.map((one) => `${margin}  - ${word(one)}`)];
}

/** Bare where YAML reads a plain text and nothing else. */
function word(text: string): string {
  const isPlain =
    /^[a-z0-9][a-z0-9._/-]*$/.test(text) && !/^(?:[\d.e_-]+|0[xo].*|true|false|null|yes|no|on|off|y|n)$/.test(text);
  return isPlain || /^\d+\.\d+\.\d+\.\d+(?:\/\d+)?$/.test(text) ? text : JSON.stringify(text);
}
