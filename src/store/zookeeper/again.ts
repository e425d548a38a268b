import { ConnectionLostError } from '../../wire/zookeeper/client.ts';

/** Times that something is tried when connections are lost one after the other. */
export const attempts = 5;

/** What changes nothing when it is done twice is asked again when its connection was lost. */
export async function again<T>(ask: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++)
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof ConnectionLostError) || attempt >= attempts) throw error;
    }
}
