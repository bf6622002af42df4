import type { Context } from 'hono';
import { readNoticePath } from '../../gateway/notice-url.ts';
import { receiveNotice } from '../../gateway/receive-notice.ts';
import { refuseLostKey } from '../../gateway/refuse-lost-key.ts';
import { networkOf } from '../../domain/network.ts';
import { countersFor } from '../limiter.ts';
import type { AppOptions } from '../platform.ts';
import { isStorageDown } from '../../ports/storage-down.ts';

const maxBytes = 65_536;

/** Handles a notice. While the database answers, genuine and forged notices get the same answer, so that a forger learns nothing. */
export const noticeRoute = async (c: Context, options: AppOptions): Promise<Response> => {
  const { gateway, ip } = await options.platform(c);
  const requestId = `req_${gateway.ids.uuid()}`;
  const headers = {
    'content-type': 'application/json',
    'cache-control': 'no-store',
    'x-request-id': requestId,
    ...(options.http.mode === 'sandbox' ? { 'x-ramp-mode': 'sandbox' } : {}),
  };
  const path = readNoticePath(new URL(c.req.url).pathname);
  if (path) {
    try {
      await refuseLostKey(gateway);
      const counters = countersFor(options.http.limits, 'forged-notices', { network: networkOf(ip()), app: undefined }, undefined);
      await receiveNotice(
        { gateway, requestId },
        {
          ...path,
          header: (name) => c.req.raw.headers.get(name) ?? undefined,
          body: async () => await readText(c.req.raw),
          mayLog: async () => (await Promise.all(counters.map(options.limiter))).every(({ allowed }) => allowed),
        },
      );
    } catch (error) {
      if (!isStorageDown(error)) throw error;
      return new Response('{}', { status: 503, headers: { ...headers, 'retry-after': '5' } });
    }
  }
  return new Response('{"received":true}', { status: 202, headers });
};

/** Reads the body as text, and stops after 64 KiB. Nothing in the body is believed; at most it hints at which order or account to read. */
const readText = async (request: Request): Promise<string> => {
  if (!request.body) return '';
  const reader = request.body.getReader();
  const decoder = new TextDecoder();
  let text = '';
  let size = 0;
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    size += part.value.length;
    text += decoder.decode(part.value, { stream: true });
    if (size > maxBytes) {
      await reader.cancel();
      break;
    }
  }
  return text.replaceAll('\0', '').toWellFormed();
};
