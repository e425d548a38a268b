import type { Network } from '../model/network.ts';

/**
 * The network file as readers may see it. Secrets never stand in it by design; what could carry one all the same (user and password
 * of a URL, its query, the address of a receiver) is taken out, and so are paths of files on this machine.
 */
export function redactedNetwork(network: Network): Network {
  const { watch } = network;
  return {
    ...network,
    endpoints: network.endpoints.map(({ auth, ...endpoint }) => ({
      ...endpoint,
      url: redactedUrl(endpoint.url),
      ...(auth ? { auth: auth.file === undefined ? auth : { ...auth, file: hidden } } : {}),
    })),
    ...(watch
      ? {
          watch: {
            ...watch,
            export: watch.export.map((target) => ({
              ...target,
              ...(target.url === undefined ? {} : { url: originOf(target.url) }),
              ...(target.urlFile === undefined ? {} : { urlFile: hidden }),
              ...(target.secretFile === undefined ? {} : { secretFile: hidden }),
            })),
            receivers: watch.receivers.map((receiver) => ({
              ...receiver,
              ...('url' in receiver && receiver.url !== undefined ? { url: originOf(receiver.url) } : {}),
              ...('urlFile' in receiver && receiver.urlFile !== undefined ? { urlFile: hidden } : {}),
              ...('secretFile' in receiver && receiver.secretFile !== undefined ? { secretFile: hidden } : {}),
              ...('template' in receiver && receiver.template !== undefined ? { template: hidden } : {}),
            })),
          },
        }
      : {}),
  };
}

const hidden = '(hidden)';

/** Without user, password, query and fragment. */
export function redactedUrl(text: string): string {
  const url = new URL(text);
  return `${url.origin}${url.pathname === '/' && !text.endsWith('/') ? '' : url.pathname}`;
}

const originOf = (text: string): string => `${new URL(text).origin}/`;
