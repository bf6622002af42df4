import { concatBytes } from '../domain/concat-bytes.ts';
import { abortSignalOf } from '../domain/cut.ts';
import { ProviderFault } from '../providers/fault.ts';
import type { Http } from '../providers/spec.ts';

type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** Makes calls to providers on Workers. `fetch` does not say whether any byte was sent, so after every failed call `taken` is `maybe`. */
export const createFetchHttp =
  (fetchIt: Fetch): Http =>
  async ({ method, url, headers, body, signal, maxBytes }) => {
    try {
      const answer = await fetchIt(url, {
        method,
        headers: headers ?? {},
        redirect: 'manual',
        signal: abortSignalOf(signal),
        ...(body === undefined ? {} : { body }),
      });
      const encoding = answer.headers.get('content-encoding');
      if (encoding !== null && encoding !== 'identity') {
        void answer.body?.cancel().catch(() => undefined);
        throw new ProviderFault('malformed', 'the answer is encoded, though identity was asked for');
      }
      const flat: Record<string, string> = {};
      answer.headers.forEach((value, name) => {
        flat[name] = value;
      });
      return { status: answer.status, headers: flat, body: await readCapped(answer, maxBytes) };
    } catch (error) {
      if (error instanceof ProviderFault) throw error;
      if (signal.aborted) throw new ProviderFault('timeout', 'no answer within the deadline', { cause: error });
      throw new ProviderFault('unreachable', 'the connection failed', { cause: error });
    }
  };

const readCapped = async (answer: Response, maxBytes: number): Promise<Uint8Array> => {
  if (!answer.body) return new Uint8Array();
  const reader = answer.body.getReader();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    size += part.value.length;
    if (size > maxBytes) {
      void reader.cancel().catch(() => undefined);
      throw new ProviderFault('malformed', `the answer is larger than ${maxBytes} bytes`);
    }
    chunks.push(part.value);
  }
  return concatBytes(chunks);
};
