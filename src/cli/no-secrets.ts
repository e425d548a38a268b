import { isSecretName } from '../model/secrets.ts';
import { UsageError } from './command.ts';

/** The name of a variable that is to hold a key, for messages. Keys were put there themselves, so only what must be a name is repeated. */
export function shownVariable(name: string): string {
  return /^[A-Z][A-Z0-9_]{0,63}$/.test(name) ? name : '(not shown: it may be the key itself)';
}

/**
 * A URL of the command line stands in reports and in the list of processes, so none may hold a secret.
 * @param instead how the secret is given, where there is a way
 * @throws UsageError that repeats nothing of it
 */
export function refuseSecretsIn(url: URL, place: string, instead = 'leave it out'): void {
  if (url.username !== '' || url.password !== '')
    throw new UsageError(`${place}: a user or password stands in the URL; ${instead}`);
  const parameter = [...url.searchParams.keys()].find(isSecretName);
  if (parameter !== undefined)
    throw new UsageError(`${place}: a secret stands in the parameter ${parameter} of the URL; ${instead}`);
}
