import { Agent, buildConnector, request as undiciRequest } from 'undici';
import { ProviderFault } from '../providers/fault.ts';
import type { Http } from '../providers/spec.ts';

/** Provider calls on Node: undici's `request`, which costs half of its `fetch`. Never follows a redirect, never decompresses. */
export const createUndiciHttp = (options: { connections?: number } = {}): { http: Http; close: () => Promise<void> } => {
  const connect = buildConnector({ timeout: 3_000, allowH2: false });
  /** Failures to connect: no name, no listener, no TLS, no time. They prove that no byte of a request left. */
  const neverLeft = new WeakSet<Error>();
  const agent = new Agent({
    // HTTP/1.1 only: what a lost connection says of the request on it is plain there.
    allowH2: false,
    connections: options.connections ?? 64,
    pipelining: 1,
    keepAliveTimeout: 30_000,
    connect: (options, done) =>
      connect(options, (...result) => {
        if (result[0]) neverLeft.add(result[0]);
        done(...result);
      }),
    headersTimeout: 60_000,
    bodyTimeout: 60_000,
    maxHeaderSize: 16_384,
  });
  const http: Http = async ({ method, url, headers, body, signal, maxBytes }) => {
    try {
      const answer = await undiciRequest(url, { method, headers: headers ?? {}, body: body ?? null, signal, dispatcher: agent });
      const flat: Record<string, string> = {};
      for (const name in answer.headers) {
        const value = answer.headers[name];
        if (value !== undefined) flat[name] = typeof value === 'string' ? value : value.join(', ');
      }
      const encoding = flat['content-encoding'];
      if (encoding !== undefined && encoding !== 'identity') {
        answer.body.on('error', () => undefined).destroy();
        throw new ProviderFault('malformed', 'the answer is encoded, though identity was asked for');
      }
      // A stated length within the cap is read in one piece, which costs half of reading chunk by chunk; the parser holds it to its word.
      const stated = Number(flat['content-length'] ?? Number.NaN);
      const whole = stated <= maxBytes;
      return { status: answer.statusCode, headers: flat, body: whole ? await answer.body.bytes() : await readCapped(answer.body, maxBytes) };
    } catch (error) {
      throw toFault(error, signal, error instanceof Error && neverLeft.has(error) ? 'no' : 'maybe');
    }
  };
  return { http, close: async () => await agent.close() };
};

/** Counts as it reads: an endless answer ends at the cap, a dripping one by the caller's deadline. */
const readCapped = async (body: AsyncIterable<Uint8Array> & { destroy: () => unknown }, maxBytes: number): Promise<Uint8Array> => {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > maxBytes) throw new ProviderFault('malformed', `the answer is larger than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks);
};

const toFault = (error: unknown, signal: AbortSignal, taken: 'no' | 'maybe'): ProviderFault => {
  if (error instanceof ProviderFault) return error;
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown';
  if (signal.aborted) return new ProviderFault('timeout', 'no answer within the deadline', { taken, cause: error });
  if (code === 'UND_ERR_HEADERS_OVERFLOW' || code.startsWith('HPE_')) return new ProviderFault('malformed', code, { cause: error });
  if (code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT') return new ProviderFault('timeout', code, { cause: error });
  return new ProviderFault('unreachable', code, { taken, cause: error });
};
