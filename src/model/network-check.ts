import { type Loose, list, mapping, names, type NetworkIssue, repeatedNames, unknownReference } from './check.ts';
import { emulatedIssues } from './emulated-check.ts';
import { planIssues } from './plan-check.ts';
import { isSecretName } from './secrets.ts';
import { securityIssues } from './security-check.ts';
import { policyIssues } from './policy-check.ts';
import { parseUrl } from './url.ts';
import { watchIssues } from './watch-check.ts';
import { workloadClass } from './workload.ts';

/**
 * What is wrong between the parts of a network. Takes the raw value, so that these mistakes come out together with those
 * of the shape; anything of the wrong shape is passed over here.
 */
export function networkIssues(raw: unknown): NetworkIssue[] {
  const root = mapping(raw);
  const [sites, endpoints, workloads] = [list(root, 'sites'), list(root, 'endpoints'), list(root, 'workloads')];
  const siteNames = names(sites);
  const workloadNames = [...names(workloads), ...workloadClass.options];
  return [
    ...repeatedNames('sites', sites),
    ...repeatedNames('endpoints', endpoints),
    ...repeatedNames('workloads', workloads),
    ...unknownReference(mapping(root['vantage'])['site'], ['vantage', 'site'], 'site', siteNames),
    ...endpoints.flatMap((endpoint, i) => endpointIssues(endpoint, i, siteNames, workloadNames, names(endpoints))),
    ...emulatedIssues(endpoints),
    ...workloads.flatMap(workloadIssues),
    ...watchIssues(root['watch'], { endpoints: names(endpoints), sites: siteNames, vantage: vantageName(root) }),
    ...planIssues(root),
    ...securityIssues(root),
    ...policyIssues(root),
  ];
}

function endpointIssues(
  endpoint: Loose,
  i: number,
  sites: string[],
  workloads: string[],
  endpoints: string[],
): NetworkIssue[] {
  const others = endpoints.filter((name) => name !== endpoint['name']);
  const issues = [
    ...unknownReference(endpoint['site'], ['endpoints', i, 'site'], 'site', sites),
    ...unknownReference(endpoint['workload'], ['endpoints', i, 'workload'], 'workload', workloads),
    ...unknownReference(endpoint['backupOf'], ['endpoints', i, 'backupOf'], 'other endpoint', others),
    ...urlIssues(endpoint['url'], ['endpoints', i, 'url']),
  ];
  if (endpoint['name'] === 'client')
    issues.push({
      path: ['endpoints', i, 'name'],
      message: 'must be another name, because reports call this tool itself "client"',
    });
  return issues;
}

function workloadIssues(workload: Loose, i: number): NetworkIssue[] {
  const { name, class: ofClass } = workload;
  const isBuiltIn = workloadClass.safeParse(name).success;
  if (!isBuiltIn || !workloadClass.safeParse(ofClass).success || name === ofClass) return [];
  return [
    {
      path: ['workloads', i, 'name'],
      message: `must be "${String(ofClass)}" or no name of a built-in class, so that a name never means two things`,
    },
  ];
}

function urlIssues(value: unknown, path: (string | number)[]): NetworkIssue[] {
  const url = typeof value === 'string' ? parseUrl(value) : undefined;
  if (!url) return [];
  const issues: NetworkIssue[] = [];
  if (url.username !== '' || url.password !== '')
    issues.push({
      path,
      message: 'must be a URL without user name and password; secrets come by auth.env or auth.file',
      params: { secret: true },
    });
  const parameter = [...url.searchParams.keys()].find(isSecretName);
  if (parameter !== undefined)
    issues.push({
      path,
      message: `must be a URL without the secret in its parameter ${parameter}; secrets come by auth.env or auth.file`,
      params: { secret: true },
    });
  return issues;
}

function vantageName(root: Loose): string | undefined {
  const { name } = mapping(root['vantage']);
  return typeof name === 'string' ? name : undefined;
}
